//! Parse, run, exit code.

use std::time::Duration;
use tcpprobe::net::dial::{Hold, finisher};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (_f, finish) = finisher();
    let options = tcpprobe::check::Options {
        timeout: Duration::from_secs(3),
        slow: Duration::from_millis(250),
        hold: Hold::RoundTrips,
        source: None,
        interface: None,
    };
    for a in std::env::args().skip(1) {
        let o = tcpprobe::check::check(a.parse().unwrap(), &options, finish.clone()).await;
        for ob in &o.evidence.observations {
            println!("{}", serde_json::to_string(ob).unwrap());
        }
        println!("{}", serde_json::to_string_pretty(&o.diagnosis).unwrap());
    }
}

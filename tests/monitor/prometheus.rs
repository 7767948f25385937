//! A real Prometheus that scrapes both ways.

#[path = "prometheus/inside.rs"]
mod inside;
#[path = "prometheus/server.rs"]
mod server;

use libtest_mimic::{Failed, Trial};
use serde_json::json;
use tcpprobe::lab::{Lab, Network};

use crate::House;
use inside::until;
use server::Prometheus;

pub(crate) fn trials(house: &House) -> Vec<Trial> {
    let house = House {
        why_not: house.why_not.clone().or_else(server::missing),
    };
    vec![house.trial("harness", harness)]
}

fn harness() -> Result<(), Failed> {
    let lab = Lab::build(&Network::default())?;
    let folder = tempfile::tempdir()?;
    let config = json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [{"job_name": "self", "static_configs": [{"targets": ["127.0.0.1:9090"]}]}],
    });
    let mut prometheus = Prometheus::start(&lab, folder.path(), &config)?;
    until("up", || {
        prometheus.runs()?;
        let found = prometheus.query("up{job=\"self\"} == 1")?;
        Ok(if found.len() == 1 {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        })
    })?;
    assert!(prometheus.alerts()?.is_empty());
    Ok(())
}

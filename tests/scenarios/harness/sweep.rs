//! Proves that a sweep tells plain answers from everything else, loses none, and leaves nothing half open.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use tcpprobe::evidence::{IcmpSays, ReplySays};
use tcpprobe::lab::{Family, Lab, Node, Place};
use tcpprobe::net::dial::Source;
use tcpprobe::net::raw::{Plain, RawSight, SweepOrder, Swept, Use};

use crate::facilities::ensure;
use crate::raw::{Proof, passed};

/// One trial a proof and IP version.
pub(crate) const PROOFS: &[(&str, &str, Proof)] = &[
    (
        "a_sweep_tells_plain_answers_from_everything_else",
        "
        [[listener]]
        port = 8080
        [[listener]]
        port = 8081
        [[wire.rule]]
        towards = 'server'
        port = 8082
        packet = 'syn'
        action = { answer = { icmp = { says = 'admin-prohibited', from = 'r2', ttl = 63 } } }
        [[wire.rule]]
        towards = 'server'
        port = 8081
        packet = 'syn'
        action = 'drop'
        ",
        |lab, family| {
            let server = Place::Server.address(family);
            let endpoints = [8080, 8081, 8082, 8083].map(|port| SocketAddr::new(server, port));
            let swept = sweep(lab, endpoints.to_vec())?;
            ensure(odd(&swept) == [1], &swept)?;
            let [Some(open), None, Some(rejected), Some(closed)] =
                [0, 1, 2, 3].map(|index| plain(&swept, index))
            else {
                return ensure(false, &swept);
            };
            let says = |plain: &Plain| plain.shot.replies().map(|replies| replies[0].says.clone());
            let right = matches!(says(open), Some(ReplySays::SynAck(_)))
                && matches!(says(rejected), Some(ReplySays::Icmp(error)) if error.says == IcmpSays::AdminProhibited)
                && matches!(says(closed), Some(ReplySays::Rst { .. }))
                && open.shot.from.map(|from| from.ip()) == Some(Place::Client.address(family));
            ensure(right, &swept)?;
            // Our own kernel's, since nobody listens on our port.
            ensure(passed(lab, '>', "Flags [R]") == 1, lab.trace())?;
            let unanswered = lab
                .trace()
                .iter()
                .filter(|line| line.contains("8081: Flags [S]"))
                .count();
            ensure(unanswered == 3, lab.trace())
        },
    ),
    (
        "a_sweep_finds_every_one_of_a_thousand_ports",
        "[[listener]]\nport = 10000\ncount = 1000",
        |lab, family| {
            let server = Place::Server.address(family);
            let ports = 10_000..11_000;
            let swept = sweep(lab, ports.map(|port| SocketAddr::new(server, port)).collect())?;
            // What came late, since the machine was busy, is looked into, and not lost. How much that is says nothing of us.
            let told = swept.len() == 1000 && odd(&swept).len() < 1000;
            let accepts = |plain: &Plain| matches!(plain.shot.replies(), Some([reply]) if matches!(reply.says, ReplySays::SynAck(_)));
            ensure(
                told && (0..1000).all(|index| plain(&swept, index).is_none_or(accepts)),
                odd(&swept),
            )
        },
    ),
    ("a_sweep_of_our_own_host_is_answered", "", |lab, family| {
        let loopback: IpAddr = match family {
            Family::V4 => Ipv4Addr::LOCALHOST.into(),
            Family::V6 => Ipv6Addr::LOCALHOST.into(),
        };
        let own = Place::Client.address(family);
        let swept = lab.on(Node::Client, move || -> io::Result<Vec<Swept>> {
            let listener = TcpListener::bind((loopback, 0))?;
            let open = listener.local_addr()?;
            swept(vec![open, SocketAddr::new(own, 9)])
        })??;
        ensure(odd(&swept).is_empty() && swept.len() == 2, &swept)
    }),
    (
        "what_our_own_output_drops_is_for_the_full_look",
        "[[firewall]]\nnode = 'client'\nhook = 'output'\nport = 8080\nverdict = 'drop'\n[[listener]]\nport = 8080",
        |lab, family| {
            let server = Place::Server.address(family);
            let swept = sweep(
                lab,
                vec![SocketAddr::new(server, 8080), SocketAddr::new(server, 8083)],
            )?;
            ensure(odd(&swept) == [0] && plain(&swept, 1).is_some(), &swept)
        },
    ),
];

fn sweep(lab: &Lab, endpoints: Vec<SocketAddr>) -> Result<Vec<Swept>, libtest_mimic::Failed> {
    Ok(lab.on(Node::Client, move || swept(endpoints))??)
}

/// What the calling thread's network says of the endpoints.
fn swept(endpoints: Vec<SocketAddr>) -> io::Result<Vec<Swept>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let sweeper = RawSight::new(Use::Always)
        .sweeper(&Source::default())
        .map_err(|error| io::Error::other(format!("{}: {}", error.call, error.errno)))?;
    runtime.block_on(async {
        let mut sweep = sweeper.begin(SweepOrder {
            endpoints,
            rate: 20_000,
            slow: Duration::from_millis(250),
        })?;
        let mut all = Vec::new();
        while let Some(one) = sweep.next().await {
            all.push(one);
        }
        Ok(all)
    })
}

fn plain(swept: &[Swept], wanted: usize) -> Option<&Plain> {
    swept.iter().find_map(|one| match one {
        Swept::Plain(plain) if plain.index == wanted => Some(plain),
        Swept::Plain(_) | Swept::Odd { .. } => None,
    })
}

fn odd(swept: &[Swept]) -> Vec<usize> {
    let odd = |one: &Swept| match one {
        Swept::Plain(_) => None,
        Swept::Odd { index } => Some(*index),
    };
    swept.iter().filter_map(odd).collect()
}

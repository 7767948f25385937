//! Builds a lab, step by step.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use rtnetlink::packet_route::route::RouteType;

use crate::net::clock;
use crate::net::open_files::OpenFiles;
use crate::net::sys::namespace::NetNamespace;

use super::client::Etc;
use super::firewall;
use super::forwarder::{AtServer, Forwarder, SharedRules, Trace};
use super::links::{self, Reach, RouteTo};
use super::network::{Behaviour, Firewall, Held, Listener, Network, Policy, Route, Rule, ServerAction, Way};
use super::node::NodeThread;
use super::places::{Family, Node, address};
use super::plan::{PLANS, Plan};
use super::rules::Rules;
use super::services::{Remote, Services};
use super::{BuildError, Lab, WireThread};

/// The wire's interface towards the client, and the one towards r1.
const WIRE_ENDS: (&str, &str) = ("w0", "w1");

/// How long the kernel may take to notice that the links are up; it takes a few milliseconds.
const LINKS_UP_WITHIN: Duration = Duration::from_secs(5);

type Nodes = BTreeMap<Node, NodeThread>;

pub(super) fn build(network: &Network) -> Result<Lab, BuildError> {
    check(network)?;
    let open_files = OpenFiles::raise().map_err(failed("the limit of open files"))?;
    let etc = Etc::create(&network.files).map_err(failed("the client's files"))?;
    let wire = NodeThread::start("wire").map_err(failed("a namespace for the wire"))?;
    let nodes = PLANS
        .iter()
        .map(|plan| Ok((plan.node, NodeThread::start(plan.name)?)))
        .collect::<io::Result<Nodes>>()
        .map_err(failed("namespaces"))?;
    prepare(&nodes, &wire).map_err(failed("sysctls"))?;
    connect(&nodes, &wire).map_err(failed("links"))?;
    for plan in &PLANS {
        node(&nodes, plan.node)?
            .run(|| address_and_route(plan))
            .and_then(|done| done)
            .map_err(failed(plan.name))?;
    }
    await_links(&nodes, &wire).map_err(failed("links"))?;
    apply(network, &nodes)?;

    let mut services = BTreeMap::new();
    for plan in &PLANS {
        let listeners: Vec<Listener> = network
            .listener
            .iter()
            .filter(|one| one.node == plan.node)
            .cloned()
            .collect();
        let dns = network.dns.clone().filter(|_| plan.node == Node::Server);
        if !listeners.is_empty() || dns.is_some() {
            let started = Services::start(node(&nodes, plan.node)?, listeners, dns);
            services.insert(plan.node, started.map_err(failed("services"))?);
        }
    }
    let trace = Trace::default();
    let server = services.get(&Node::Server).and_then(Services::remote);
    let rules = Rules::new(network.wire.rule.clone(), network.wire.seed);
    let rules = SharedRules::new(rules.into());
    let wire = start_wire(wire, network, &rules, server, &trace).map_err(failed("the wire"))?;
    let held = node(&nodes, Node::Client)?.run({
        let held = network.held.clone();
        move || hold(&held)
    });
    let held = held
        .and_then(|held| held)
        .map_err(failed("connections to be held"))?;
    Ok(Lab {
        _wire: wire,
        rules,
        services,
        held,
        nodes,
        etc,
        open_files,
        trace,
    })
}

fn failed(step: impl Into<String>) -> impl FnOnce(io::Error) -> BuildError {
    move |error| BuildError::Failed {
        step: step.into(),
        error,
    }
}

fn node(nodes: &Nodes, node: Node) -> Result<&NodeThread, BuildError> {
    nodes
        .get(&node)
        .ok_or_else(|| BuildError::Description(format!("there is no node {node:?}")))
}

/// Rejects what could only be done in part.
fn check(network: &Network) -> Result<(), BuildError> {
    check_listeners(&network.listener)?;
    check_rules(&network.wire.rule)
}

pub(super) fn check_listeners(listeners: &[Listener]) -> Result<(), BuildError> {
    let wrong = |text: String| Err(BuildError::Description(text));
    for listener in listeners {
        if listener.ports().count() != usize::from(listener.count) {
            return wrong(format!(
                "there are no {} ports from {} on",
                listener.count, listener.port
            ));
        }
        if listener.full && listener.behaviour != Behaviour::NeverAccept {
            return wrong(format!(
                "port {}: only a listener that never accepts stays full",
                listener.port
            ));
        }
    }
    Ok(())
}

pub(super) fn check_rules(rules: &[Rule]) -> Result<(), BuildError> {
    let is_wrong = |rule: &&Rule| rule.probability.is_some_and(|one| !(0.0..=1.0).contains(&one));
    match rules.iter().find(is_wrong) {
        Some(rule) => Err(BuildError::Description(format!(
            "a probability is from 0 to 1: {rule:?}"
        ))),
        None => Ok(()),
    }
}

/// What has to be set before there are interfaces, as these copy it when they are made.
fn prepare(nodes: &Nodes, wire: &NodeThread) -> io::Result<()> {
    wire.run(|| links::set_sysctl("net.ipv6.conf.default.disable_ipv6", "1"))??;
    for plan in &PLANS {
        let Some(node) = nodes.get(&plan.node) else {
            continue;
        };
        node.run(|| {
            for which in ["all", "default"] {
                links::set_sysctl(&format!("net.ipv6.conf.{which}.accept_dad"), "0")?;
                links::set_sysctl(&format!("net.ipv6.conf.{which}.accept_ra"), "0")?;
            }
            plan.sysctls
                .iter()
                .try_for_each(|(name, value)| links::set_sysctl(name, value))
        })??;
    }
    Ok(())
}

fn connect(nodes: &Nodes, wire: &NodeThread) -> io::Result<()> {
    let namespace = |node: Node| -> io::Result<NetNamespace> {
        Ok(nodes
            .get(&node)
            .ok_or_else(|| io::Error::other("no such node"))?
            .namespace
            .clone())
    };
    let (client, r1, server) = (
        namespace(Node::Client)?,
        namespace(Node::R1)?,
        namespace(Node::Server)?,
    );
    wire.run(move || {
        links::netlink(async |handle| {
            links::add_pair(handle, WIRE_ENDS.0, "eth0", &client).await?;
            links::add_pair(handle, WIRE_ENDS.1, "eth0", &r1).await?;
            links::bring_up(handle, &[WIRE_ENDS.0, WIRE_ENDS.1]).await
        })
    })??;
    let r1 = namespace(Node::R1)?;
    let r2 = nodes
        .get(&Node::R2)
        .ok_or_else(|| io::Error::other("no such node"))?;
    r2.run(move || {
        links::netlink(async |handle| {
            links::add_pair(handle, "eth0", "eth1", &r1).await?;
            links::add_pair(handle, "eth1", "eth0", &server).await
        })
    })??;
    for plan in &PLANS {
        let Some(node) = nodes.get(&plan.node) else {
            continue;
        };
        node.run(|| links::netlink(async |handle| links::bring_up(handle, &plan.interface_names()).await))??;
    }
    Ok(())
}

fn address_and_route(plan: &Plan) -> io::Result<()> {
    links::netlink(async |handle| {
        for family in Family::BOTH {
            for interface in plan.interfaces {
                for (link, host) in interface.addresses {
                    links::add_address(handle, interface.name, address(family, *link, *host)).await?;
                }
            }
            for (link, (gateway_link, gateway_host)) in plan.routes {
                let reach = match link {
                    Some(link) => Reach::Link(address(family, *link, 0)),
                    None => Reach::Default(family),
                };
                let gateway = address(family, *gateway_link, *gateway_host);
                links::add_route(handle, reach, RouteTo::Via(gateway)).await?;
            }
        }
        Ok(())
    })
}

fn await_links(nodes: &Nodes, wire: &NodeThread) -> io::Result<()> {
    let until = clock::now() + LINKS_UP_WITHIN;
    let in_use = || {
        links::addresses_are_in_use()
            .map_err(|error| rtnetlink::Error::NamespaceError(format!("if_inet6: {error}")))
    };
    let wait = move |names: Vec<&'static str>| {
        links::netlink(async |handle| {
            while !(links::are_up(handle, &names).await? && in_use()?) {
                if clock::now() > until {
                    return Err(rtnetlink::Error::NamespaceError(
                        "the links or their addresses do not come up".to_owned(),
                    ));
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Ok(())
        })
    };
    wire.run(move || wait(vec![WIRE_ENDS.0, WIRE_ENDS.1]))??;
    for plan in &PLANS {
        let Some(node) = nodes.get(&plan.node) else {
            continue;
        };
        node.run(move || wait(plan.interface_names()))??;
    }
    Ok(())
}

/// Adds what the description has beyond the plan.
fn apply(network: &Network, nodes: &Nodes) -> Result<(), BuildError> {
    for (at, sysctls) in &network.sysctl {
        let sysctls = sysctls.clone();
        let set = move || {
            sysctls
                .iter()
                .try_for_each(|(name, value)| links::set_sysctl(name, value))
        };
        node(nodes, *at)?
            .run(set)
            .and_then(|done| done)
            .map_err(failed(format!("{at:?}")))?;
    }
    for route in &network.route {
        let to = ways(route)?;
        let target = route.to;
        let add = move || {
            links::netlink(async |handle| {
                for (family, way) in to {
                    links::add_route(handle, Reach::Host(target.address(family)), way).await?;
                }
                Ok(())
            })
        };
        node(nodes, route.node)?
            .run(add)
            .and_then(|done| done)
            .map_err(failed(format!("{route:?}")))?;
    }
    for link in &network.link {
        let set = {
            let link = link.clone();
            move || links::netlink(async |handle| links::set_mtu(handle, &link.interface, link.mtu).await)
        };
        node(nodes, link.node)?
            .run(set)
            .and_then(|done| done)
            .map_err(failed(format!("{link:?}")))?;
    }
    for (priority, policy) in (100..).zip(&network.policy) {
        let add = {
            let policy: Policy = policy.clone();
            move || links::netlink(async |handle| links::add_policy(handle, &policy, priority).await)
        };
        node(nodes, policy.node)?
            .run(add)
            .and_then(|done| done)
            .map_err(failed(format!("{policy:?}")))?;
    }
    for plan in &PLANS {
        let rules: Vec<Firewall> = network
            .firewall
            .iter()
            .filter(|rule| rule.node == plan.node)
            .cloned()
            .collect();
        if !rules.is_empty() {
            let set_up = node(nodes, plan.node)?.run(move || firewall::set_up(&rules));
            set_up
                .and_then(|done| done)
                .map_err(failed(format!("the firewall of {}", plan.name)))?;
        }
    }
    Ok(())
}

fn ways(route: &Route) -> Result<[(Family, RouteTo); 2], BuildError> {
    let via =
        |link: u8, host: u8| Family::BOTH.map(|family| (family, RouteTo::Via(address(family, link, host))));
    let kind = |kind: RouteType| Family::BOTH.map(|family| (family, RouteTo::Kind(kind)));
    Ok(match (route.way, route.node) {
        (Way::R1, Node::Client) => via(1, 1),
        (Way::R1, Node::R2) => via(2, 1),
        (Way::R2, Node::R1) => via(2, 2),
        (Way::R2, Node::Server) => via(3, 1),
        (Way::R1 | Way::R2, _) => {
            return Err(BuildError::Description(format!(
                "{:?} has no link to {:?}",
                route.node, route.way
            )));
        }
        (Way::Blackhole, _) => kind(RouteType::BlackHole),
        (Way::Unreachable, _) => kind(RouteType::Unreachable),
        (Way::Prohibit, _) => kind(RouteType::Prohibit),
        (Way::None, _) => kind(RouteType::Throw),
    })
}

fn start_wire(
    node: NodeThread,
    network: &Network,
    rules: &SharedRules,
    server: Option<Remote>,
    trace: &Trace,
) -> io::Result<WireThread> {
    let (stopped, stop) = io::pipe()?;
    let at_server: AtServer = Box::new(move |action: ServerAction| match &server {
        Some(server) => server.order(action),
        None => Err(io::Error::other("nothing listens at the server")),
    });
    let (wire, rules, trace) = (network.wire.clone(), rules.clone(), trace.clone());
    let forwarder = node.run(move || Forwarder::open(WIRE_ENDS, &wire, rules, at_server, trace))??;
    let thread = thread::Builder::new()
        .name("lab-forwarder".to_owned())
        .spawn(move || forwarder.run(&stopped))?;
    Ok(WireThread {
        stop: Some(stop),
        thread: Some(thread),
        _node: node,
    })
}

fn hold(held: &[Held]) -> io::Result<Vec<TcpStream>> {
    let mut connections = Vec::new();
    for held in held {
        for family in Family::BOTH {
            let to = SocketAddr::new(held.to.address(family), held.port);
            for _ in 0..held.count {
                connections.push(TcpStream::connect_timeout(&to, Duration::from_secs(5))?);
            }
        }
    }
    Ok(connections)
}

//! Firewall rules, written straight to the kernel's `nf_tables`: no `nft` program is needed.
//!
//! The numbers are those of `linux/netfilter/nf_tables.h`; integers are big-endian, except for what is compared with
//! a register, which holds them as the packet or the kernel does.

use std::io;

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};

use super::network::{About, Firewall, FirewallVerdict, Hook, Side, TrackedState};

const TABLE: &str = "lab";

/// Sets up a table with a chain for each rule, in the namespace of the calling thread.
pub(super) fn set_up(rules: &[Firewall]) -> io::Result<()> {
    let mut batch = Batch::new();
    batch.add(NEW_TABLE, |message| message.text(1, TABLE));
    for (number, rule) in rules.iter().enumerate() {
        let chain = format!("rule{number}");
        batch.add(NEW_CHAIN, |message| new_chain(message, &chain, rule));
        batch.add(NEW_RULE, |message| {
            message.text(1, TABLE);
            message.text(2, &chain);
            message.nested(4, |list| expressions(list, rule));
        });
    }
    batch.commit()
}

fn new_chain(message: &mut Attributes, name: &str, rule: &Firewall) {
    let (kind, priority) = match rule.verdict {
        FirewallVerdict::Redirect(_) => ("nat", -100),
        FirewallVerdict::Drop | FirewallVerdict::Reset => ("filter", 0_i32),
    };
    let hook = match rule.hook {
        Hook::Prerouting => 0,
        Hook::Input => 1,
        Hook::Forward => 2,
        Hook::Output => 3,
    };
    message.text(1, TABLE);
    message.text(3, name);
    message.nested(4, |attributes| {
        attributes.number(1, hook);
        attributes.number(2, priority.cast_unsigned());
    });
    message.text(7, kind);
}

const REGISTER: u32 = 1;

fn expressions(list: &mut Attributes, rule: &Firewall) {
    let (protocol, at, wanted) = match (rule.about, rule.side) {
        (About::Tcp, Side::To) => (6, 2, rule.port.to_be_bytes()),
        (About::Tcp, Side::From) => (6, 0, rule.port.to_be_bytes()),
        // Type and code.
        (About::TooBigV4, _) => (1, 0, [3, 4]),
        (About::TooBigV6, _) => (58, 0, [2, 0]),
    };
    // meta l4proto
    list.expression("meta", |meta| {
        meta.number(1, REGISTER);
        meta.number(2, 16);
    });
    list.compare(EQUAL, &[protocol]);
    // Two bytes of the transport's header.
    list.expression("payload", |payload| {
        payload.number(1, REGISTER);
        payload.number(2, 2);
        payload.number(3, at);
        payload.number(4, 2);
    });
    list.compare(EQUAL, &wanted);
    if let Some(state) = rule.state {
        let mask: u32 = match state {
            TrackedState::Invalid => 1 << 0,
            TrackedState::Established => 1 << 1,
            TrackedState::New => 1 << 3,
        };
        list.expression("ct", |ct| {
            ct.number(1, REGISTER);
            ct.number(2, 0);
        });
        list.expression("bitwise", |bitwise| {
            bitwise.number(1, REGISTER);
            bitwise.number(2, REGISTER);
            bitwise.number(3, 4);
            bitwise.nested(4, |data| data.bytes(1, &mask.to_ne_bytes()));
            bitwise.nested(5, |data| data.bytes(1, &[0; 4]));
        });
        list.compare(NOT_EQUAL, &[0; 4]);
    }
    match rule.verdict {
        FirewallVerdict::Drop => list.expression("immediate", |immediate| {
            // Into the verdict register goes NF_DROP.
            immediate.number(1, 0);
            immediate.nested(2, |data| data.nested(2, |verdict| verdict.number(1, 0)));
        }),
        FirewallVerdict::Reset => list.expression("reject", |reject| {
            reject.number(1, 1);
            reject.bytes(2, &[0]);
        }),
        FirewallVerdict::Redirect(port) => {
            list.expression("immediate", |immediate| {
                immediate.number(1, REGISTER);
                immediate.nested(2, |data| data.bytes(1, &port.to_be_bytes()));
            });
            list.expression("redir", |redirect| redirect.number(1, REGISTER));
        }
    }
}

const NEW_TABLE: u16 = 10 << 8;
const NEW_CHAIN: u16 = 10 << 8 | 3;
const NEW_RULE: u16 = 10 << 8 | 6;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;

/// Netlink attributes, one after another.
#[derive(Default)]
struct Attributes(Vec<u8>);

impl Attributes {
    fn bytes(&mut self, kind: u16, value: &[u8]) {
        // None of ours comes near the 64 KiB that a length can say.
        let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    fn number(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    fn text(&mut self, kind: u16, value: &str) {
        self.bytes(kind, &[value.as_bytes(), &[0]].concat());
    }

    fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        const NESTED: u16 = 1 << 15;
        let mut inner = Self::default();
        fill(&mut inner);
        self.bytes(kind | NESTED, &inner.0);
    }

    fn expression(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.nested(1, |expression| {
            expression.text(1, name);
            expression.nested(2, fill);
        });
    }

    fn compare(&mut self, how: u32, value: &[u8]) {
        self.expression("cmp", |compare| {
            compare.number(1, REGISTER);
            compare.number(2, how);
            compare.nested(3, |data| data.bytes(1, value));
        });
    }
}

/// Messages that take effect together or not at all.
struct Batch {
    bytes: Vec<u8>,
    messages: u32,
}

impl Batch {
    fn new() -> Self {
        let mut batch = Self {
            bytes: Vec::new(),
            messages: 0,
        };
        batch.put(BATCH_BEGIN, 0, &[]);
        batch
    }

    fn add(&mut self, kind: u16, fill: impl FnOnce(&mut Attributes)) {
        let mut attributes = Attributes::default();
        fill(&mut attributes);
        // Acknowledge, create, append.
        self.put(kind, 0x0004 | 0x0400 | 0x0800, &attributes.0);
    }

    fn put(&mut self, kind: u16, flags: u16, attributes: &[u8]) {
        const HEADERS: u32 = 16 + 4;
        const REQUEST: u16 = 1;
        let length = HEADERS + u32::try_from(attributes.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(&(REQUEST | flags).to_ne_bytes());
        self.bytes.extend_from_slice(&self.messages.to_ne_bytes());
        self.bytes.extend_from_slice(&0_u32.to_ne_bytes());
        // The rule is for both IP versions (NFPROTO_INET); the batch itself names the subsystem.
        let family_and_resource: [u8; 4] = if kind >= NEW_TABLE {
            [1, 0, 0, 0]
        } else {
            [0, 0, 0, 10]
        };
        self.bytes.extend_from_slice(&family_and_resource);
        self.bytes.extend_from_slice(attributes);
        self.messages += 1;
    }

    /// The kernel has answered each message by the time that the call returns.
    fn commit(mut self) -> io::Result<()> {
        let wanted = self.messages - 1;
        self.put(BATCH_END, 0, &[]);
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_non_blocking(true)?;
        socket.send(&self.bytes, 0)?;
        for answered in 0..wanted {
            let (answer, _) = socket.recv_from_full()?;
            match answer.get(16..20) {
                Some(&[a, b, c, d]) => match i32::from_ne_bytes([a, b, c, d]) {
                    0 => {}
                    errno => {
                        let error = io::Error::from_raw_os_error(-errno);
                        return Err(io::Error::new(
                            error.kind(),
                            format!("nf_tables, message {answered}: {error}"),
                        ));
                    }
                },
                _ => return Err(io::Error::other("an answer of nf_tables is too short")),
            }
        }
        Ok(())
    }
}

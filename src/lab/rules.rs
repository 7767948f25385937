//! Decides what the wire does to a packet. Pure: no clock, no socket.

use crate::wire::{Flags, Icmp, Packet, Payload};

use super::network::{Action, Answer, Direction, Hold, PacketKind, Rule, ServerAction};
use super::places::{Family, Place};

/// The rules of a wire, and how often each has been asked.
pub(super) struct Rules {
    rules: Vec<(Rule, u32)>,
    dice: Dice,
}

/// What is to be done with a packet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decision {
    /// To be done at the server first.
    pub(super) first: Vec<ServerAction>,
    /// And then with the packet.
    pub(super) fate: Fate,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fate {
    Pass,
    Drop,
    Delay(std::time::Duration),
    /// With the number of the rule, as each holds its own.
    Hold(usize, Hold),
    Duplicate,
    Answer(Answer),
    Inject(Answer),
    ClampMss(u16),
}

impl Rules {
    pub(super) fn new(rules: Vec<Rule>, seed: u64) -> Self {
        let mut new = Self {
            rules: Vec::new(),
            dice: Dice(seed),
        };
        new.replace(rules);
        new
    }

    /// Puts others in their place, of which each begins to count anew.
    pub(super) fn replace(&mut self, rules: Vec<Rule>) {
        self.rules = rules.into_iter().map(|rule| (rule, 0)).collect();
    }

    pub(super) fn decide(&mut self, towards: Direction, packet: &Packet) -> Decision {
        let mut first = Vec::new();
        for (number, (rule, seen)) in self.rules.iter_mut().enumerate() {
            if !is_about(rule, towards, packet) {
                continue;
            }
            let turn = *seen;
            *seen += 1;
            if !is_its_turn(rule, turn) || !self.dice.allow(rule.probability) {
                continue;
            }
            let fate = match &rule.action {
                Action::First(action) => {
                    first.push(*action);
                    continue;
                }
                Action::Pass => Fate::Pass,
                Action::Drop => Fate::Drop,
                Action::Delay(delay) => Fate::Delay(*delay),
                Action::Hold(hold) => Fate::Hold(number, *hold),
                Action::Duplicate => Fate::Duplicate,
                Action::Answer(answer) => Fate::Answer(*answer),
                Action::Inject(answer) => Fate::Inject(*answer),
                Action::ClampMss(most) => Fate::ClampMss(*most),
            };
            return Decision { first, fate };
        }
        Decision {
            first,
            fate: Fate::Pass,
        }
    }
}

fn is_about(rule: &Rule, towards: Direction, packet: &Packet) -> bool {
    let (server, server_port) = match (towards, ports(packet)) {
        (Direction::Server, ports) => (packet.destination, ports.map(|(_, to)| to)),
        (Direction::Client, ports) => (packet.source, ports.map(|(from, _)| from)),
    };
    let is_host = |place: Place| place.address(Family::of(server)) == server;
    rule.towards == towards
        && rule.port.is_none_or(|port| server_port == Some(port))
        && rule.host.is_none_or(is_host)
        && is_of_kind(rule.packet, packet)
        && rule.longer_than.is_none_or(|most| is_longer(packet, most))
}

fn is_longer(packet: &Packet, most: usize) -> bool {
    packet.emit().is_ok_and(|bytes| bytes.len() > most)
}

fn ports(packet: &Packet) -> Option<(u16, u16)> {
    match &packet.payload {
        Payload::Tcp(segment) => Some((segment.source_port, segment.destination_port)),
        Payload::Other { protocol: UDP, bytes } => match bytes[..] {
            [a, b, c, d, ..] => Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
            _ => None,
        },
        Payload::Icmp(_) | Payload::Other { .. } => None,
    }
}

const UDP: u8 = 17;

fn is_of_kind(kind: PacketKind, packet: &Packet) -> bool {
    let flags = |among: Flags, wanted: Flags| {
        packet
            .tcp()
            .is_some_and(|segment| segment.flags.among(among) == wanted)
    };
    let ending = Flags::SYN | Flags::FIN | Flags::RST;
    match kind {
        PacketKind::Any => true,
        PacketKind::Tcp => packet.tcp().is_some(),
        PacketKind::Syn => flags(Flags::SYN | Flags::ACK, Flags::SYN),
        PacketKind::SynAck => flags(Flags::SYN | Flags::ACK, Flags::SYN | Flags::ACK),
        PacketKind::Ack => {
            flags(ending | Flags::ACK, Flags::ACK)
                && packet.tcp().is_some_and(|segment| segment.payload.is_empty())
        }
        PacketKind::Fin => flags(Flags::FIN, Flags::FIN),
        PacketKind::Rst => flags(Flags::RST, Flags::RST),
        PacketKind::Udp => matches!(packet.payload, Payload::Other { protocol: UDP, .. }),
        PacketKind::EchoRequest => matches!(packet.icmp(), Some(Icmp::EchoRequest(_))),
        PacketKind::EchoReply => matches!(packet.icmp(), Some(Icmp::EchoReply(_))),
        PacketKind::IcmpError => matches!(packet.icmp(), Some(Icmp::Error(_))),
    }
}

/// `turn` counts from 0 the packets that the rule is about.
fn is_its_turn(rule: &Rule, turn: u32) -> bool {
    let Some(turn) = turn.checked_sub(rule.skip) else {
        return false;
    };
    let every = rule.every.unwrap_or(1).max(1);
    turn.is_multiple_of(every) && rule.count.is_none_or(|count| turn / every < count)
}

/// `SplitMix64`: the same seed gives the same dice on every machine.
struct Dice(u64);

impl Dice {
    fn allow(&mut self, probability: Option<f64>) -> bool {
        let Some(probability) = probability else {
            return true;
        };
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [a, b, c, d, ..] = (mixed ^ (mixed >> 31)).to_be_bytes();
        f64::from(u32::from_be_bytes([a, b, c, d])) < probability * (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Segment;

    fn segment(flags: Flags) -> Packet {
        Packet {
            source: Place::Client.address(Family::V6),
            destination: Place::Server.address(Family::V6),
            hop_limit: 64,
            payload: Payload::Tcp(Segment::new(40000, 8080, flags)),
        }
    }

    fn rule(text: &str) -> Rule {
        toml::from_str(text).unwrap()
    }

    fn fates(rules: &str, packets: usize) -> Vec<bool> {
        let mut rules = Rules::new(vec![rule(rules)], 7);
        (0..packets)
            .map(|_| rules.decide(Direction::Server, &segment(Flags::SYN)).fate == Fate::Drop)
            .collect()
    }

    #[test]
    fn skip_count_and_every_pick_packets_in_their_order() {
        let base = "towards = 'server'\npacket = 'syn'\nport = 8080\naction = 'drop'\n";
        assert_eq!(fates(&format!("{base}count = 1"), 3), [true, false, false]);
        assert_eq!(fates(&format!("{base}skip = 1"), 3), [false, true, true]);
        assert_eq!(fates(&format!("{base}every = 2"), 4), [true, false, true, false]);
        assert_eq!(
            fates(&format!("{base}skip = 1\nevery = 2\ncount = 1"), 5),
            [false, true, false, false, false]
        );
    }

    #[test]
    fn rules_that_replace_others_begin_to_count_anew() {
        let base = "towards = 'server'\naction = 'drop'\ncount = 1";
        let mut rules = Rules::new(vec![rule(base)], 7);
        let mut drops = || rules.decide(Direction::Server, &segment(Flags::SYN)).fate == Fate::Drop;
        assert_eq!([drops(), drops()], [true, false]);
        rules.replace(vec![rule(base)]);
        let mut drops = || rules.decide(Direction::Server, &segment(Flags::SYN)).fate == Fate::Drop;
        assert_eq!([drops(), drops()], [true, false]);
        rules.replace(Vec::new());
        assert_eq!(
            rules.decide(Direction::Server, &segment(Flags::SYN)).fate,
            Fate::Pass
        );
    }

    #[test]
    fn dice_fall_the_same_way_each_time_and_in_proportion() {
        let rule = "towards = 'server'\nprobability = 0.25\naction = 'drop'";
        let dropped = fates(rule, 4000).iter().filter(|dropped| **dropped).count();
        assert_eq!(fates(rule, 4000), fates(rule, 4000));
        assert!((900..1100).contains(&dropped), "{dropped}");
    }

    #[test]
    fn a_rule_may_be_about_long_packets_alone() {
        let long = rule("towards = 'server'\nlonger-than = 1400\naction = 'drop'");
        let with = |data| {
            let mut packet = segment(Flags::ACK);
            if let Payload::Tcp(segment) = &mut packet.payload {
                segment.payload = vec![0; data];
            }
            packet
        };
        assert!(!is_about(&long, Direction::Server, &with(1400 - 60)));
        assert!(is_about(&long, Direction::Server, &with(1401 - 60)));
    }

    #[test]
    fn an_ack_with_a_fin_is_not_a_plain_ack() {
        let ack = rule("towards = 'server'\npacket = 'ack'\naction = 'drop'");
        assert!(is_about(&ack, Direction::Server, &segment(Flags::ACK)));
        assert!(!is_about(
            &ack,
            Direction::Server,
            &segment(Flags::ACK | Flags::FIN)
        ));
        assert!(!is_about(&ack, Direction::Client, &segment(Flags::ACK)));
    }

    #[test]
    fn what_is_done_at_the_server_does_not_end_the_search() {
        let rules = vec![
            rule("towards = 'server'\naction = { first = { fill = 8080 } }"),
            rule("towards = 'server'\naction = { delay = '20ms' }"),
        ];
        let decision = Rules::new(rules, 0).decide(Direction::Server, &segment(Flags::ACK));
        assert_eq!(decision.first, [ServerAction::Fill(8080)]);
        assert_eq!(decision.fate, Fate::Delay(std::time::Duration::from_millis(20)));
    }
}

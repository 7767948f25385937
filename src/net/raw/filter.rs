//! Programs (cBPF) that keep everything away from our sockets but what may answer us, so that a busy host's traffic
//! costs us nothing. They let through too much rather than too little: what answers what is decided elsewhere.

use socket2::SockFilter;

/// More ports than this are beyond the reach of a conditional jump.
pub(super) const MOST_PORTS: usize = 200;

/// What a socket's filter finds at offset 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ear {
    /// IPv4 and TCP.
    TcpV4,
    /// TCP alone: IPv6 raw sockets have no IP header.
    TcpV6,
    /// IPv4 and ICMP.
    IcmpV4,
    /// ICMPv6 alone.
    IcmpV6,
    /// Any packet from its IP header on.
    Interface,
}

impl Ear {
    /// One for each socket.
    pub(super) const ALL: [Self; 5] = [
        Self::TcpV4,
        Self::TcpV6,
        Self::IcmpV4,
        Self::IcmpV6,
        Self::Interface,
    ];
}

/// Lets nothing through.
pub(super) fn nothing() -> [SockFilter; 1] {
    [SockFilter::new(RETURN, 0, 0, 0)]
}

/// Lets through what is for one of these ports, quotes a segment from one of them, or is an echo reply whose identifier
/// is one of them.
pub(super) fn about(ports: &[u16], ear: Ear) -> Vec<SockFilter> {
    program(ports, ear)
        .into_iter()
        .map(|Instruction(code, yes, no, value)| SockFilter::new(code, yes, no, value))
        .collect()
}

fn program(ports: &[u16], ear: Ear) -> Vec<Instruction> {
    let mut program = Program::default();
    match ear {
        Ear::TcpV4 => program.tcp_v4(),
        Ear::TcpV6 => program.load_port(LOAD_HALF, 2),
        Ear::IcmpV4 => program.icmp_v4(),
        Ear::IcmpV6 => program.icmp_v6(0),
        Ear::Interface => program.any(),
    }
    program.finish(ports)
}

// `linux/bpf_common.h`. A load beyond the packet's end ends the program, which lets nothing through.
const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE_AT_X: u16 = 0x50;
const LOAD_HALF_AT_X: u16 = 0x48;
const LOAD_SAVED: u16 = 0x60;
const SAVE: u16 = 0x02;
const X_IS_V4_HEADER_LENGTH: u16 = 0xb1;
const AND: u16 = 0x54;
const SHIFT_LEFT: u16 = 0x64;
const SHIFT_RIGHT: u16 = 0x74;
const ADD_X: u16 = 0x0c;
const X_IS_A: u16 = 0x07;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

const TCP: u32 = 6;
const ICMP: u32 = 1;
const ICMPV6: u32 = 58;
const FRAGMENT: u32 = 44;

/// Places in a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    V4Tcp,
    V4Error,
    V4QuotedEcho,
    V6,
    V6Tcp,
    V6Error,
    V6Whole,
    V6QuotedTcp,
    /// Where the number that was loaded is compared with our ports.
    Ports,
}

/// An instruction: its code, how many to skip if it holds and if not, and its operand.
#[derive(Debug, Clone, Copy)]
struct Instruction(u16, u8, u8, u32);

#[derive(Default)]
struct Program {
    code: Vec<Instruction>,
    jumps: Vec<(usize, Mark)>,
    marks: Vec<(Mark, usize)>,
}

impl Program {
    fn any(&mut self) {
        self.put(LOAD_BYTE, 0);
        self.put(SHIFT_RIGHT, 4);
        self.unless(4, Mark::V6);
        self.put(LOAD_BYTE, 9);
        self.unless(ICMP, Mark::V4Tcp);
        self.icmp_v4();
        self.mark(Mark::V4Tcp);
        self.drop_unless(TCP);
        self.tcp_v4();
        self.mark(Mark::V6);
        self.put(LOAD_BYTE, 6);
        self.unless(ICMPV6, Mark::V6Tcp);
        self.icmp_v6(40);
        self.mark(Mark::V6Tcp);
        self.drop_unless(TCP);
        self.load_port(LOAD_HALF, 42);
    }

    fn tcp_v4(&mut self) {
        self.put(X_IS_V4_HEADER_LENGTH, 0);
        self.load_port(LOAD_HALF_AT_X, 2);
    }

    fn icmp_v4(&mut self) {
        self.put(X_IS_V4_HEADER_LENGTH, 0);
        self.put(LOAD_BYTE_AT_X, 0);
        self.unless(0, Mark::V4Error);
        self.load_port(LOAD_HALF_AT_X, 4);
        // Eight bytes of ICMP, then the quoted IPv4 header, of which byte 9 is the protocol.
        self.mark(Mark::V4Error);
        self.put(LOAD_BYTE_AT_X, 17);
        self.put(SAVE, 0);
        self.put(LOAD_BYTE_AT_X, 8);
        self.put(AND, 0xf);
        self.put(SHIFT_LEFT, 2);
        self.put(ADD_X, 0);
        self.put(X_IS_A, 0);
        self.put(LOAD_SAVED, 0);
        self.unless(TCP, Mark::V4QuotedEcho);
        self.load_port(LOAD_HALF_AT_X, 8);
        self.mark(Mark::V4QuotedEcho);
        self.load_port(LOAD_HALF_AT_X, 12);
    }

    /// `at` is where ICMPv6 begins.
    fn icmp_v6(&mut self, at: u32) {
        let quoted = at + 8 + 40;
        self.put(LOAD_BYTE, at);
        self.unless(129, Mark::V6Error);
        self.load_port(LOAD_HALF, at + 4);
        self.mark(Mark::V6Error);
        self.put(LOAD_BYTE, at + 8 + 6);
        self.unless(FRAGMENT, Mark::V6Whole);
        self.load_port(LOAD_HALF, quoted + 8);
        self.mark(Mark::V6Whole);
        self.unless(ICMPV6, Mark::V6QuotedTcp);
        self.load_port(LOAD_HALF, quoted + 4);
        self.mark(Mark::V6QuotedTcp);
        self.load_port(LOAD_HALF, quoted);
    }

    /// Loads a port or an identifier, and has it compared.
    fn load_port(&mut self, load: u16, at: u32) {
        self.put(load, at);
        self.jump(Mark::Ports);
    }

    fn put(&mut self, code: u16, value: u32) {
        self.code.push(Instruction(code, 0, 0, value));
    }

    fn jump(&mut self, to: Mark) {
        self.jumps.push((self.code.len(), to));
        self.put(JUMP, 0);
    }

    fn unless(&mut self, value: u32, to: Mark) {
        self.code.push(Instruction(JUMP_IF_EQUAL, 1, 0, value));
        self.jump(to);
    }

    fn drop_unless(&mut self, value: u32) {
        self.code.push(Instruction(JUMP_IF_EQUAL, 1, 0, value));
        self.put(RETURN, 0);
    }

    fn mark(&mut self, mark: Mark) {
        self.marks.push((mark, self.code.len()));
    }

    fn finish(mut self, ports: &[u16]) -> Vec<Instruction> {
        self.mark(Mark::Ports);
        for (at, to) in std::mem::take(&mut self.jumps) {
            let target = self.marks.iter().find(|(mark, _)| *mark == to);
            let over = target.map_or(0, |(_, target)| target - at - 1);
            self.code[at].3 = u32::try_from(over).unwrap_or_default();
        }
        let ports = &ports[..ports.len().min(MOST_PORTS)];
        for (index, port) in ports.iter().enumerate() {
            let to_the_end = u8::try_from(ports.len() - index).unwrap_or(u8::MAX);
            self.code
                .push(Instruction(JUMP_IF_EQUAL, to_the_end, 0, u32::from(*port)));
        }
        self.put(RETURN, 0);
        self.put(RETURN, u32::MAX);
        self.code
    }
}

#[cfg(test)]
mod tests;

//! The other ends of the holder's connections. They can be made to hear nothing: a filter drops what comes.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, SockFilter, Socket, Type};

/// Accepting takes no longer than this.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the holder connects to.
pub(crate) struct Far {
    listener: Socket,
    pub(crate) address: SocketAddr,
    /// Kept open.
    held: Vec<Socket>,
}

impl Far {
    pub(crate) fn listen(on: IpAddr, backlog: i32) -> io::Result<Self> {
        let listener = Socket::new(Domain::for_address((on, 0).into()), Type::STREAM, None)?;
        listener.set_recv_buffer_size(4096)?;
        listener.bind(&SocketAddr::new(on, 0).into())?;
        listener.listen(backlog)?;
        listener.set_read_timeout(Some(PATIENCE))?;
        let address = listener
            .local_addr()?
            .as_socket()
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self {
            listener,
            address,
            held: Vec::new(),
        })
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> io::Result<Socket> {
        self.listener.accept().map(|(socket, _)| socket)
    }

    pub(crate) fn hold(&mut self, socket: Socket) {
        self.held.push(socket);
    }
}

/// Sockets that connect to the holder.
#[derive(Default)]
pub(crate) struct Callers(Vec<Socket>);

impl Callers {
    /// Connects and stays, in the accept queue.
    pub(crate) fn connect(&mut self, to: SocketAddr) -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
        socket.connect_timeout(&to.into(), PATIENCE)?;
        self.0.push(socket);
        Ok(())
    }

    /// Sends a SYN, and does not hear what comes back.
    pub(crate) fn connect_deaf(&mut self, to: SocketAddr) -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
        deafen(&socket)?;
        socket.set_nonblocking(true)?;
        match socket.connect(&to.into()) {
            Err(error) if error.raw_os_error() != Some(nix::libc::EINPROGRESS) => return Err(error),
            _ => self.0.push(socket),
        }
        Ok(())
    }
}

/// `BPF_RET | BPF_K`
const RETURN: u16 = 0x06;
const ALL: u32 = u32::MAX;

/// From now on the socket hears nothing.
pub(crate) fn deafen(socket: &Socket) -> io::Result<()> {
    socket.attach_filter(&[SockFilter::new(RETURN, 0, 0, 0)])
}

/// From now on the socket misses three of ten packets.
pub(crate) fn make_hard_of_hearing(socket: &Socket) -> io::Result<()> {
    /// `BPF_LD | BPF_W | BPF_ABS` of `SKF_AD_OFF + SKF_AD_RANDOM`, and `BPF_JMP | BPF_JGE | BPF_K`.
    const LOAD: u16 = 0x20;
    const RANDOM: u32 = 0xffff_f000 + 56;
    const AT_LEAST: u16 = 0x35;
    socket.attach_filter(&[
        SockFilter::new(LOAD, 0, 0, RANDOM),
        SockFilter::new(AT_LEAST, 0, 1, ALL / 10 * 3),
        SockFilter::new(RETURN, 0, 0, ALL),
        SockFilter::new(RETURN, 0, 0, 0),
    ])
}

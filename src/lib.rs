//! tcpprobe answers one question from the client's side alone: why does this TCP connection fail, or hang?
//!
//! It looks ([`net`], steered by [`probe`]), writes down what it saw ([`evidence`]), decides what that means
//! ([`diagnose`]) and says so ([`report`]). `docs/architecture.md` describes the rooms and the arrows between them.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "tcpprobe reads Linux interfaces (TCP_INFO, the socket error queue, sock_diag): build it on Linux, kernel 4.19 or later"
);

pub mod app;
pub mod check;
pub mod cli;
pub mod diagnose;
pub mod document;
pub mod duration;
pub mod evidence;
pub mod http;
pub mod kubernetes;
pub mod lab;
pub mod matrix;
pub mod monitor;
pub mod net;
pub mod probe;
pub mod report;
pub mod target;
pub mod wire;

//! All IO and all `unsafe`: connections, the error queue, `TCP_INFO`, DNS, the clock, local kernel state.

pub mod clock;
pub mod counters;
pub mod dial;
pub mod dns;
pub mod errno;
mod error_queue;
pub mod facilities;
pub mod finish;
pub mod host;
pub mod interfaces;
pub mod kernel;
pub mod listener;
mod netlink;
pub mod open_files;
mod pause;
pub mod ping;
pub mod privileges;
pub mod raw;
pub mod route;
pub mod settings;
pub mod sight;
pub mod sized;
mod sock_diag;
pub mod sockets;
pub mod sys;
mod tcp_info;
pub mod usage;

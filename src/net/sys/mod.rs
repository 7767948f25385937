//! Safe wrappers around system calls that have none elsewhere.

pub mod listen_queue;
pub mod namespace;
pub mod packet_socket;
pub mod socket_option;

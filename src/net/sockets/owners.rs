//! Which process holds which socket: the links in `/proc/PID/fd` name the inodes.

use std::fs;
use std::mem::MaybeUninit;

use rustix::fs::{CWD, Dir, Mode, OFlags, openat, readlinkat_raw};
use rustix::io::Errno;

use crate::evidence::sockets::{Process, Visibility};

/// So many descriptors of sockets are remembered at most, at eight bytes each.
const MOST: usize = 1 << 21;
const COMMAND_LENGTH: usize = 200;

/// The sockets of every process that we may look into.
#[derive(Debug, Default)]
pub struct Owners {
    /// Inode and process, in order.
    held: Vec<(u32, u32)>,
    visibility: Visibility,
}

impl Owners {
    /// Reads every process in `/proc`.
    pub fn look() -> Self {
        let mut owners = Self::default();
        for pid in processes() {
            owners.add(pid);
        }
        owners.held.sort_unstable();
        owners
    }

    /// Reads ourselves alone.
    pub fn ourselves() -> Self {
        let mut owners = Self::default();
        owners.add(std::process::id());
        owners.held.sort_unstable();
        owners
    }

    /// The process that holds the socket with that inode; of several the one with the lowest id.
    pub fn of(&self, inode: u32) -> Option<u32> {
        let first = self.held.partition_point(|(held, _)| *held < inode);
        let (held, pid) = self.held.get(first)?;
        (*held == inode).then_some(*pid)
    }

    /// How much of `/proc` could be read.
    pub fn visibility(&self) -> Visibility {
        self.visibility
    }

    /// The processes of that name (`/proc/PID/comm`).
    pub fn named(name: &str) -> impl Iterator<Item = u32> {
        // The kernel keeps fifteen bytes of a name.
        let name = name.get(..15).unwrap_or(name).to_owned();
        processes().filter(move |pid| read(*pid, "comm").trim_end() == name)
    }

    /// What is to be known of a process.
    pub fn process(pid: u32) -> Process {
        let command: String = read(pid, "cmdline")
            .replace('\0', " ")
            .trim_end()
            .chars()
            .take(COMMAND_LENGTH)
            .collect();
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |entries| entries.count() as u64);
        Process {
            pid,
            name: read(pid, "comm").trim_end().to_owned(),
            command,
            descriptors,
            descriptor_limit: soft_limit(&read(pid, "limits")),
        }
    }

    fn add(&mut self, pid: u32) {
        let Ok(folder) = openat(
            CWD,
            format!("/proc/{pid}/fd"),
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        ) else {
            // Whoever has ended in the meantime holds nothing.
            self.visibility.processes_denied += u32::from(is_there(pid));
            return;
        };
        let Ok(entries) = Dir::read_from(&folder) else {
            self.visibility.processes_denied += 1;
            return;
        };
        let mut target = [MaybeUninit::<u8>::uninit(); 32];
        for entry in entries.flatten() {
            let inode = match readlinkat_raw(&folder, entry.file_name(), &mut target[..]) {
                Ok((target, _)) => inode(target),
                // Of a process with more power than ours the directory may be read, and what is in it may not.
                Err(Errno::ACCESS) if entry.file_name() != c"." && entry.file_name() != c".." => {
                    self.visibility.processes_denied += 1;
                    return;
                }
                // It was closed meanwhile, or is the directory itself.
                Err(_) => None,
            };
            let Some(inode) = inode else { continue };
            if self.held.len() >= MOST {
                self.visibility.cut = true;
                break;
            }
            self.held.push((inode, pid));
        }
        self.visibility.processes_read += 1;
    }
}

/// 12 of a link to `socket:[12]`.
fn inode(target: &[u8]) -> Option<u32> {
    let number = target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

fn processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn is_there(pid: u32) -> bool {
    fs::exists(format!("/proc/{pid}")).unwrap_or(false)
}

fn read(pid: u32, file: &str) -> String {
    let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// From a line such as `Max open files  1024  524288  files`.
fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_the_kernel_writes_them() {
        let text = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288  files\n";
        assert_eq!(soft_limit(text), Some(1024));
        assert_eq!(soft_limit("Max open files  unlimited  unlimited  files\n"), None);
    }

    #[test]
    fn we_know_ourselves() {
        let process = Owners::process(std::process::id());
        assert!(process.descriptors >= 3 && process.descriptor_limit.is_some());
        assert!(!process.name.is_empty() && !process.command.is_empty());
        assert!(Owners::look().visibility().processes_read >= 1);
    }
}

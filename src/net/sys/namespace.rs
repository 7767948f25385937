//! Namespaces: entering them, and running a program inside with no more power than it is to have.
#![expect(unsafe_code, reason = "pre_exec, prctl and capset have no safe wrapper")]

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::Uid;

use crate::net::open_files::OpenFiles;

/// Why private namespaces could not be entered.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// The system does not let this user have namespaces of its own.
    #[error(
        "this system does not let us make user namespaces ({0}); \
         see user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns and the container's seccomp profile"
    )]
    Forbidden(io::Error),
    /// The calling process has more than one thread, which the kernel does not allow here.
    #[error("namespaces can only be entered before the first thread is started")]
    Threaded,
    /// Something else went wrong on the way.
    #[error("{step}: {error}")]
    Failed {
        /// What was being done.
        step: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

/// Moves this process into user, network and mount namespaces of its own, in which it is root. To be called at the top
/// of `main`.
pub fn enter() -> Result<(), EnterError> {
    Identity::ours().enter()
}

/// Whether [`enter`] would work: a child process tries.
///
/// # Errors
/// What denied it.
pub fn can_enter() -> io::Result<()> {
    /// What the child says when it is inside, instead of becoming another program. Nothing on its way says this.
    const INSIDE: i32 = libc::ECANCELED;
    let identity = Identity::ours();
    let mut child = Command::new("/proc/self/exe");
    // SAFETY: between fork and exec the closure makes system calls alone; it neither allocates nor takes a lock.
    unsafe {
        child.pre_exec(move || {
            Err(match identity.enter() {
                Ok(()) => io::Error::from_raw_os_error(INSIDE),
                Err(EnterError::Forbidden(error) | EnterError::Failed { error, .. }) => error,
                // The only thread of a new process.
                Err(EnterError::Threaded) => io::Error::from_raw_os_error(libc::EINVAL),
            })
        });
    }
    match child.spawn() {
        Err(error) if error.raw_os_error() == Some(INSIDE) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::other("the child became another program")),
    }
}

/// Who we are outside, and what is to be written so that this is root inside. Made beforehand, so that a child process
/// need not allocate.
struct Identity {
    user: Uid,
    uid_map: String,
    gid_map: String,
}

impl Identity {
    fn ours() -> Self {
        let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
        Self {
            user,
            uid_map: format!("0 {user} 1"),
            gid_map: format!("0 {group} 1"),
        }
    }

    fn enter(&self) -> Result<(), EnterError> {
        let private = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
        match unshare(CloneFlags::CLONE_NEWUSER | private) {
            Ok(()) => {
                // The files in /proc of a program that setcap(8) gave something belong to root. That capability was
                // left behind with the namespace outside, so there is nothing to protect.
                prctl(libc::PR_SET_DUMPABLE, 1).map_err(|error| EnterError::Failed {
                    step: "PR_SET_DUMPABLE",
                    error,
                })?;
                let write = |step: &'static str, text: &str| {
                    fs::write(step, text).map_err(|error| {
                        // AppArmor lets the namespace be made but not be used.
                        if error.kind() == io::ErrorKind::PermissionDenied {
                            EnterError::Forbidden(error)
                        } else {
                            EnterError::Failed { step, error }
                        }
                    })
                };
                write("/proc/self/setgroups", "deny")?;
                write("/proc/self/uid_map", &self.uid_map)?;
                write("/proc/self/gid_map", &self.gid_map)?;
            }
            // Root needs no user namespace, and a container may forbid those alone.
            Err(_) if self.user.is_root() && unshare(private).is_ok() => {}
            Err(nix::Error::EINVAL) => return Err(EnterError::Threaded),
            Err(error) => return Err(EnterError::Forbidden(error.into())),
        }
        make_mounts_private().map_err(|error| EnterError::Failed {
            step: "make mounts private",
            error: error.into(),
        })
    }
}

fn make_mounts_private() -> nix::Result<()> {
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, flags, None::<&str>)
}

/// A network namespace, which lives for as long as something refers to it.
#[derive(Debug, Clone)]
pub struct NetNamespace(Arc<File>);

impl NetNamespace {
    /// Moves the calling thread into a new one.
    pub fn create() -> io::Result<Self> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        File::open("/proc/thread-self/ns/net").map(|file| Self(Arc::new(file)))
    }

    /// The one that a file stands for, such as `/proc/PID/ns/net` or one that ip-netns(8) made.
    pub fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(|file| Self(Arc::new(file)))
    }

    /// Moves the calling thread into this one.
    pub fn join(&self) -> io::Result<()> {
        Ok(setns(&*self.0, CloneFlags::CLONE_NEWNET)?)
    }

    /// The open file that stands for it.
    pub fn file(&self) -> &File {
        &self.0
    }
}

/// What a program that is run inside keeps of root's powers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Powers {
    /// None at all, and no way to get any.
    #[default]
    None,
    /// `CAP_NET_RAW` alone.
    NetRaw,
    /// `CAP_NET_ADMIN` alone: what some kernels want of whoever filters his own socket, and others do not.
    NetAdmin,
}

impl Powers {
    fn capability(self) -> Option<u32> {
        match self {
            Self::None => None,
            Self::NetRaw => Some(13),
            Self::NetAdmin => Some(12),
        }
    }
}

/// Where a program is run and what it may do there.
#[derive(Debug)]
pub struct Cage {
    /// Its network.
    pub network: NetNamespace,
    /// The directory that it sees as `/etc`.
    pub etc: Option<CString>,
    /// What it keeps of root's powers.
    pub powers: Powers,
    /// How many file descriptors it may have open at a time.
    pub open_files: OpenFiles,
}

/// Has the command run inside the cage. It is killed when the thread that starts it ends: whoever builds networks may be
/// killed himself, and what runs in them is not to outlive him.
pub fn confine(command: &mut Command, cage: Cage) {
    // SAFETY: between fork and exec the closure makes system calls alone; it neither allocates nor takes a lock.
    unsafe { command.pre_exec(move || cage.close()) };
}

impl Cage {
    fn close(&self) -> io::Result<()> {
        prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL.cast_unsigned())?;
        self.network.join()?;
        if let Some(etc) = &self.etc {
            unshare(CloneFlags::CLONE_NEWNS)?;
            make_mounts_private()?;
            mount(
                Some(etc.as_c_str()),
                c"/etc",
                None::<&str>,
                MsFlags::MS_BIND,
                None::<&str>,
            )?;
        }
        setrlimit(
            Resource::RLIMIT_NOFILE,
            self.open_files.soft,
            self.open_files.hard,
        )?;
        drop_powers(self.powers)
    }
}

/// Linux has 41 capabilities in version 6.18, and room for 64.
const MOST_CAPABILITIES: u32 = 64;

/// A program that root executes gets what is in its bounding set, so that set is what has to be emptied.
fn drop_powers(keep: Powers) -> io::Result<()> {
    for capability in 0..MOST_CAPABILITIES {
        if keep.capability() == Some(capability) {
            continue;
        }
        match prctl(libc::PR_CAPBSET_DROP, capability) {
            Ok(()) => {}
            // Past the last one that this kernel knows.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => break,
            Err(error) => return Err(error),
        }
    }
    prctl(
        libc::PR_CAP_AMBIENT,
        libc::PR_CAP_AMBIENT_CLEAR_ALL.cast_unsigned(),
    )?;
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1)?;
    set_capabilities(keep.capability().map_or(0, |capability| 1 << capability))
}

fn prctl(option: libc::c_int, argument: u32) -> io::Result<()> {
    let zero: libc::c_ulong = 0;
    // SAFETY: these options take integers alone.
    let result = unsafe { libc::prctl(option, libc::c_ulong::from(argument), zero, zero, zero) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Makes `low` the permitted and effective set, and empties the inheritable one (capabilities above 31 are dropped).
fn set_capabilities(low: u32) -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        process: libc::c_int,
    }
    #[repr(C)]
    struct Sets {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    let header = Header {
        version: 0x2008_0522,
        process: 0,
    };
    let sets = [
        Sets {
            effective: low,
            permitted: low,
            inheritable: 0,
        },
        Sets {
            effective: 0,
            permitted: 0,
            inheritable: 0,
        },
    ];
    // SAFETY: version 3 of the call reads a header and two sets, which both outlive it.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

//! Basic authentication (RFC 7617) against bcrypt hashes.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::BASE64;
use hmac_sha256::HMAC;
use hyper::header::{AUTHORIZATION, HeaderMap};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::Response;

/// So many passwords that were right are remembered.
const REMEMBERED: usize = 100;
/// So many may wait for their turn. One hash takes a tenth of a second or more.
const WAITING: usize = 32;

/// The users, and the passwords of theirs that were right.
pub(super) struct Passwords {
    users: BTreeMap<String, String>,
    key: [u8; 32],
    right: Mutex<VecDeque<[u8; 32]>>,
    /// One is checked at a time: the rest of the machine is for whom it belongs to.
    turns: Arc<Semaphore>,
    places: Semaphore,
}

impl fmt::Debug for Passwords {
    /// Without what is secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.users.keys()).finish()
    }
}

impl Passwords {
    /// Users with their hashes; `key` is known to nobody else. Absent where there are no users.
    pub(super) fn new(users: BTreeMap<String, String>, key: [u8; 32]) -> Option<Self> {
        (!users.is_empty()).then(|| Self {
            users,
            key,
            right: Mutex::default(),
            turns: Arc::new(Semaphore::new(1)),
            places: Semaphore::new(WAITING),
        })
    }

    /// Whether the request may be answered; else what is said instead.
    pub(super) async fn check(&self, headers: &HeaderMap) -> Result<(), Response> {
        let given = headers
            .get(AUTHORIZATION)
            .and_then(|value| given(value.as_bytes()));
        let Some((name, password)) = given else {
            return Err(unauthorized());
        };
        let hash = self.users.get(&name);
        // A stranger's password is compared to somebody's all the same, so that time does not tell who is known here.
        let compared = match hash {
            Some(hash) => hash,
            None => self.somebody(&name).ok_or_else(unauthorized)?,
        };
        let digest = self.digest(&[name.as_bytes(), compared.as_bytes(), &password]);
        if hash.is_some() && self.is_remembered(&digest) {
            return Ok(());
        }
        let Ok(_place) = self.places.try_acquire() else {
            let says = "As many passwords as this server takes wait to be checked: ask again.";
            return Err(Response::text(503, says).with("retry-after", "1"));
        };
        // It is never closed.
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
            return Err(unauthorized());
        };
        // Several requests of one client may have waited for the same.
        if hash.is_some() && self.is_remembered(&digest) {
            return Ok(());
        }
        let compared = compared.clone();
        let verified = spawn_blocking(move || {
            // Who no longer waits does not let the next begin before this has ended.
            let _turn = turn;
            bcrypt::verify(&password, &compared)
        });
        if !matches!(verified.await, Ok(Ok(true))) || hash.is_none() {
            return Err(unauthorized());
        }
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= REMEMBERED {
            right.pop_front();
        }
        right.push_back(digest);
        Ok(())
    }

    /// The hash of a user whom a stranger's name stands for, always the same.
    fn somebody(&self, name: &str) -> Option<&String> {
        let digest = self.digest(&[name.as_bytes()]);
        let number = usize::from(u16::from_be_bytes([digest[0], digest[1]]));
        self.users.values().nth(number % self.users.len().max(1))
    }

    fn is_remembered(&self, digest: &[u8; 32]) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.contains(digest)
    }

    /// Of parts whose lengths count.
    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut keyed = HMAC::new(self.key);
        for part in parts {
            keyed.update((part.len() as u64).to_be_bytes());
            keyed.update(part);
        }
        keyed.finalize()
    }
}

/// Name and password.
fn given(header: &[u8]) -> Option<(String, Vec<u8>)> {
    let (scheme, encoded) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = BASE64.decode(encoded.trim_ascii()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8(decoded[..colon].to_vec()).ok()?;
    Some((name, decoded[colon + 1..].to_vec()))
}

fn unauthorized() -> Response {
    Response::text(401, "This needs a name and a password.")
        .with("www-authenticate", "Basic realm=\"tcpprobe\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_at_the_first_colon() {
        for (header, expected) in [
            ("Basic YWxpY2U6YTpi", Some(("alice", "a:b"))),
            ("basic  YWxpY2U6", Some(("alice", ""))),
            ("Basic YWxpY2U=", None),
            ("Basic !", None),
            ("Bearer YWxpY2U6YTpi", None),
            ("Basic", None),
            ("", None),
        ] {
            let given = given(header.as_bytes());
            let expected = expected.map(|(name, password): (&str, &str)| (name.to_owned(), password.into()));
            assert_eq!(given, expected, "{header}");
        }
    }

    #[test]
    fn a_stranger_is_compared_to_the_same_user_each_time() {
        let users = ["a", "b", "c"].map(|name| (name.to_owned(), format!("hash of {name}")));
        let passwords = Passwords::new(users.into(), [7; 32]).unwrap();
        let of_all: Vec<_> = (0..64)
            .map(|number| passwords.somebody(&format!("mallory{number}")))
            .collect();
        let again: Vec<_> = (0..64)
            .map(|number| passwords.somebody(&format!("mallory{number}")))
            .collect();
        assert_eq!(of_all, again);
        let different: std::collections::BTreeSet<_> = of_all.into_iter().collect();
        assert_eq!(different.len(), 3, "as many as there are users");
    }
}

//! A board that is served on loopback, with a clock that jumps.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tcpprobe::monitor::Board;
use tcpprobe::report::monitor::{page, page_policy, target_json, targets_json};

/// A server that answers until this is dropped.
pub(super) struct Served {
    state: Arc<State>,
    pub(super) address: String,
}

struct State {
    board: Arc<Board>,
    now_s: AtomicU64,
    is_silent: AtomicBool,
    is_over: AtomicBool,
    asked: Mutex<Vec<String>>,
}

impl Served {
    pub(super) fn start(board: Arc<Board>, now: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("http://{}/", listener.local_addr()?);
        let state = Arc::new(State {
            board,
            now_s: AtomicU64::new(now.as_secs()),
            is_silent: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            asked: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&shared);
                // A browser that goes away is none of our business.
                thread::spawn(move || state.answer(&stream).ok());
            }
        });
        Ok(Self { state, address })
    }

    pub(super) fn set_clock(&self, now: Duration) {
        self.state.now_s.store(now.as_secs(), Ordering::Relaxed);
    }

    /// Closes every connection without an answer.
    pub(super) fn fall_silent(&self) {
        self.state.is_silent.store(true, Ordering::Relaxed);
    }

    pub(super) fn answer_again(&self) {
        self.state.is_silent.store(false, Ordering::Relaxed);
    }

    /// The paths that were asked for.
    pub(super) fn asked(&self) -> Vec<String> {
        self.state.asked.lock().unwrap().clone()
    }
}

impl State {
    fn answer(&self, stream: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let path = first.split(' ').nth(1).unwrap_or_default();
        if self.is_silent.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.asked.lock().unwrap().push(path.to_owned());
        let (status, kind, body) = self.body(path);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\
             Content-Security-Policy: {}\r\n\r\n",
            body.len(),
            page_policy()
        );
        { stream }.write_all(head.as_bytes())?;
        { stream }.write_all(&body)
    }

    fn body(&self, path: &str) -> (&'static str, &'static str, Vec<u8>) {
        let now = Duration::from_secs(self.now_s.load(Ordering::Relaxed));
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let value = query.split_once('=').map(|(_, value)| decoded(value));
        let slots = self.board.slots();
        match path {
            "/" => (
                "200 OK",
                "text/html; charset=utf-8",
                page(&self.board, now).into_bytes(),
            ),
            "/api/targets" => (
                "200 OK",
                "application/json",
                targets_json(&self.board, value.as_deref(), now),
            ),
            "/api/target" => match slots
                .iter()
                .find(|slot| Some(&slot.watched.name) == value.as_ref())
            {
                Some(slot) => ("200 OK", "application/json", target_json(slot, None, now)),
                None => ("404 Not Found", "text/plain", Vec::new()),
            },
            // Browsers ask for it by themselves.
            "/favicon.ico" => ("204 No Content", "image/x-icon", Vec::new()),
            _ => ("404 Not Found", "text/plain", Vec::new()),
        }
    }
}

/// `%2F` is `/`.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.split_at_checked(2)).flatten();
        let byte =
            escaped.and_then(|(digits, _)| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = escaped.map_or(tail, |(_, tail)| tail);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Drop for Served {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let address = self.address.trim_start_matches("http://").trim_end_matches('/');
        drop(TcpStream::connect(address));
    }
}

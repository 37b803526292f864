//! A way to the Docker daemon that breaks, or answers for it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use super::docker;
use super::wait::wait_until;

/// Passes on what longshore and the daemon say to each other. It ends with the test's process.
pub(crate) struct Relay {
    address: String,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    /// What stands in the first line of a request, the status, and the answer to it.
    answers: Vec<(&'static str, u16, &'static str)>,
    /// What stands in the first line of a request that never arrives, and how many there were.
    holds: Option<(&'static str, usize)>,
    /// What the daemon says before the connection breaks, and how often it still does.
    breaks: Option<(&'static str, u32)>,
    /// The first lines of requests that were answered here.
    answered: Vec<String>,
}

impl Relay {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let shared = Arc::clone(&script);
        thread::spawn(move || {
            for client in listener.incoming() {
                let script = Arc::clone(&shared);
                // Whoever goes away has ended the connection.
                thread::spawn(move || relay(&client.unwrap(), &script));
            }
        });
        Self { address, script }
    }

    /// A relay to a daemon that finds a program for any platform running, or not.
    pub(crate) fn emulating(emulates: bool) -> Self {
        let relay = Self::new();
        relay.answer(
            "nocache=true",
            200,
            if emulates { RUNS } else { DOES_NOT_RUN },
        );
        relay
    }

    /// What DOCKER_HOST is.
    pub(crate) fn host(&self) -> &str {
        &self.address
    }

    /// What DOCKER_HOST is where the daemon is taken for one on this machine: a socket in a folder.
    pub(crate) fn host_in(&self, folder: &Path) -> String {
        let socket = folder.join("docker.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let relay = self.address.replace("tcp://", "");
        thread::spawn(move || {
            for client in listener.incoming() {
                let (mut from, mut to) = (client.unwrap(), TcpStream::connect(&relay).unwrap());
                let (mut back_from, mut back_to) =
                    (to.try_clone().unwrap(), from.try_clone().unwrap());
                thread::spawn(move || {
                    pass(&mut back_from, &mut back_to, |_| true);
                    let _ = back_to.shutdown(Shutdown::Both);
                });
                thread::spawn(move || {
                    pass(&mut from, &mut to, |_| true);
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        });
        format!("unix://{}", socket.display())
    }

    /// Keeps each request whose first line has this text, until whoever asks goes away.
    pub(crate) fn hold(&self, text: &'static str) {
        self.script.lock().unwrap().holds = Some((text, 0));
    }

    /// Waits until a request is kept.
    pub(crate) fn wait_for_held(&self) {
        wait_until(|| {
            let script = self.script.lock().unwrap();
            script.holds.is_some_and(|(_, held)| held > 0)
        });
    }

    /// Answers each request whose first line has this text.
    pub(crate) fn answer(&self, text: &'static str, status: u16, answer: &'static str) {
        let mut script = self.script.lock().unwrap();
        script.answers.push((text, status, answer));
    }

    /// How many requests were answered here.
    pub(crate) fn answered(&self) -> usize {
        self.script.lock().unwrap().answered.len()
    }

    /// Breaks the connection when the daemon says this, so often.
    pub(crate) fn break_at(&self, text: &'static str, times: u32) {
        self.script.lock().unwrap().breaks = Some((text, times));
    }
}

const RUNS: &str = "{\"stream\":\"Step 1/1 : FROM scratch\\n\"}\n";

const DOES_NOT_RUN: &str = "{\"stream\":\"exec /probe: exec format error\\n\"}\n\
     {\"errorDetail\":{\"message\":\"The command '/probe' returned a non-zero code: 1\"}}\n";

fn relay(client: &TcpStream, script: &Arc<Mutex<Script>>) {
    let host = docker::host();
    let path = host.strip_prefix("unix://").expect("a local daemon");
    let daemon = UnixStream::connect(path).unwrap();
    let (mut from, mut to) = (daemon.try_clone().unwrap(), client.try_clone().unwrap());
    let shared = Arc::clone(script);
    let back = thread::spawn(move || {
        pass(&mut from, &mut to, |chunk| {
            shared.lock().unwrap().says(chunk)
        });
        let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
    });
    let (mut from, mut to) = (client, &daemon);
    let (mut answer, mut is_held) = (None, false);
    pass(&mut from, &mut to, |chunk| {
        let mut script = script.lock().unwrap();
        is_held = script.holds(chunk);
        answer = script.answers(chunk);
        !is_held && answer.is_none()
    });
    if is_held {
        let _ = std::io::copy(&mut from, &mut std::io::sink());
    }
    if let Some(answer) = answer {
        let _ = from.write_all(answer.as_bytes());
        let _ = from.shutdown(Shutdown::Write);
        // What is still sent must not meet a closed door.
        let _ = std::io::copy(&mut from, &mut std::io::sink());
    }
    let _ = daemon.shutdown(Shutdown::Both);
    let _ = back.join();
}

/// Passes bytes on while they are to be.
fn pass(from: &mut impl Read, to: &mut impl Write, mut passes: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || !passes(&buffer[..count]) || to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

impl Script {
    /// Whether a request is kept.
    fn holds(&mut self, request: &[u8]) -> bool {
        match &mut self.holds {
            Some((text, held)) if first_line(request).is_some_and(|line| line.contains(*text)) => {
                *held += 1;
                true
            }
            _ => false,
        }
    }

    fn answers(&mut self, request: &[u8]) -> Option<String> {
        let line = first_line(request)?;
        let fits = |(text, ..): &&(&str, u16, &str)| line.contains(text);
        let (_, status, answer) = *self.answers.iter().find(fits)?;
        self.answered.push(line);
        Some(format!(
            "HTTP/1.1 {status} Answered\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        ))
    }

    /// Whether what the daemon says arrives.
    fn says(&mut self, chunk: &[u8]) -> bool {
        match &mut self.breaks {
            Some((text, times)) if *times > 0 && String::from_utf8_lossy(chunk).contains(*text) => {
                *times -= 1;
                false
            }
            _ => true,
        }
    }
}

/// The first line of a request; nothing of what is none.
fn first_line(request: &[u8]) -> Option<String> {
    let line = request.split(|byte| *byte == b'\r').next()?;
    let line = String::from_utf8_lossy(line).into_owned();
    line.ends_with("HTTP/1.1").then_some(line)
}

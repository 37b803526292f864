//! A way to the Docker daemon that breaks, or answers for it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;

use super::docker;

/// Passes on what longshore and the daemon say to each other. It ends with the test's process.
pub(crate) struct Relay {
    address: String,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    /// What stands in the first line of a request, the status, and the answer to it.
    answers: Vec<(&'static str, u16, &'static str)>,
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
    let mut answer = None;
    pass(&mut from, &mut to, |chunk| {
        answer = script.lock().unwrap().answers(chunk);
        answer.is_none()
    });
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
    fn answers(&mut self, request: &[u8]) -> Option<String> {
        let line =
            String::from_utf8_lossy(request.split(|byte| *byte == b'\r').next()?).into_owned();
        let fits =
            |(text, ..): &&(&str, u16, &str)| line.ends_with("HTTP/1.1") && line.contains(text);
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

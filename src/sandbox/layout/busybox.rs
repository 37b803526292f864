//! A small but complete system for demonstrations.

use std::io;

use serde_json::json;
use tar::{EntryType, Header};

use super::image::PlatformImage;
use crate::image::Platform;

/// The commands of a build's typical `RUN` lines.
const COMMANDS: [&str; 28] = [
    "adduser", "cat", "chmod", "chown", "cp", "cut", "date", "echo", "env", "false", "find",
    "grep", "id", "ls", "mkdir", "mv", "printf", "pwd", "rm", "sed", "sh", "sleep", "tar", "test",
    "touch", "true", "uname", "wc",
];

/// An image with a shell, made of a statically linked busybox for the platform: what `docker build`
/// needs to execute `RUN` lines.
pub fn busybox(platform: Platform, binary: &[u8]) -> io::Result<PlatformImage> {
    let mut archive = tar::Builder::new(Vec::new());
    for (folder, mode) in [
        ("bin", 0o755),
        ("etc", 0o755),
        ("root", 0o700),
        ("tmp", 0o1777),
    ] {
        let mut header = header(EntryType::Directory, mode, 0);
        archive.append_data(&mut header, format!("{folder}/"), io::empty())?;
    }
    let passwd = b"root:x:0:0:root:/root:/bin/sh\n";
    let group = b"root:x:0:\n";
    for (file, mode, bytes) in [
        ("bin/busybox", 0o755, binary),
        ("etc/passwd", 0o644, passwd.as_slice()),
        ("etc/group", 0o644, group.as_slice()),
    ] {
        let mut header = header(EntryType::Regular, mode, bytes.len() as u64);
        archive.append_data(&mut header, file, bytes)?;
    }
    for command in COMMANDS {
        let mut header = header(EntryType::Symlink, 0o777, 0);
        archive.append_link(&mut header, format!("bin/{command}"), "busybox")?;
    }
    Ok(PlatformImage {
        config: json!({"Env": ["PATH=/bin"], "Cmd": ["sh"]}),
        ..PlatformImage::new(platform, vec![archive.into_inner()?])
    })
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

//! A layer's archive with no time later than a given one: what a build writes carries the time of
//! the build, and the same recipe would never give the same digest twice.

use std::io::{self, Read, Write};

use tar::{Archive, EntryType};

/// The records of an extended header that are times, in seconds with a fraction.
const TIMES: [&str; 3] = ["mtime", "atime", "ctime"];

/// The size of a block; headers and contents fill whole ones.
const BLOCK: usize = 512;

/// Copies an archive, header by header; a time after `latest`, in seconds since 1970, becomes
/// `latest`. All else stays as it is.
pub(super) fn clamp(archive: impl Read, latest: u64, mut target: impl Write) -> io::Result<()> {
    let mut archive = Archive::new(archive);
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let mut header = entry.header().clone();
        if matches!(header.mtime(), Ok(time) if time > latest) {
            header.set_mtime(latest);
        }
        let kind = header.entry_type();
        if matches!(kind, EntryType::XHeader | EntryType::XGlobalHeader) {
            let mut records = Vec::new();
            entry.read_to_end(&mut records)?;
            let records = clamp_records(&records, latest);
            header.set_size(records.len() as u64);
            header.set_cksum();
            target.write_all(header.as_bytes())?;
            target.write_all(&records)?;
            pad(records.len() as u64, &mut target)?;
        } else {
            header.set_cksum();
            target.write_all(header.as_bytes())?;
            let size = io::copy(&mut entry, &mut target)?;
            pad(size, &mut target)?;
        }
    }
    target.write_all(&[0; 2 * BLOCK])
}

fn pad(size: u64, target: &mut impl Write) -> io::Result<()> {
    let rest = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    target.write_all(&[0; BLOCK][..(BLOCK - rest) % BLOCK])
}

/// Records are `LENGTH KEY=VALUE\n`, the length counting itself. What is none is left alone.
fn clamp_records(mut records: &[u8], latest: u64) -> Vec<u8> {
    let mut clamped = Vec::with_capacity(records.len());
    while !records.is_empty() {
        let length = record_length(records).unwrap_or(records.len());
        let (record, rest) = records.split_at(length);
        match late_time(record, latest) {
            Some(key) => clamped.extend(new_record(key, &latest.to_string())),
            None => clamped.extend(record),
        }
        records = rest;
    }
    clamped
}

fn record_length(records: &[u8]) -> Option<usize> {
    let digits = records.iter().position(|&byte| byte == b' ')?;
    let length: usize = std::str::from_utf8(&records[..digits]).ok()?.parse().ok()?;
    (length > digits && length <= records.len()).then_some(length)
}

/// The key of a record that is a time after `latest`.
fn late_time(record: &[u8], latest: u64) -> Option<&'static str> {
    let text = std::str::from_utf8(record).ok()?.trim_end_matches('\n');
    let (key, value) = text.split_once(' ')?.1.split_once('=')?;
    let key = TIMES.into_iter().find(|time| *time == key)?;
    let (seconds, fraction) = value.split_once('.').unwrap_or((value, ""));
    let seconds: u64 = seconds.parse().ok()?;
    let is_later = seconds > latest || seconds == latest && fraction.bytes().any(|it| it != b'0');
    is_later.then_some(key)
}

fn new_record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length.to_string().len() + rest.len() != length {
        length = length.to_string().len() + rest.len();
    }
    format!("{length}{rest}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATEST: u64 = 1_700_000_000;

    fn archive(mtime: u64, extended: &str) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        builder
            .append_pax_extensions([
                ("mtime", extended.as_bytes()),
                ("SCHILY.xattr.user.x", b"\xff\x00".as_slice()),
            ])
            .unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_size(5);
        header.set_mode(0o4755);
        header.set_uid(7);
        header.set_mtime(mtime);
        builder
            .append_data(&mut header, "etc/vault", b"hello".as_slice())
            .unwrap();
        builder.into_inner().unwrap()
    }

    fn clamped(archive: &[u8]) -> Vec<u8> {
        let mut target = Vec::new();
        clamp(archive, LATEST, &mut target).unwrap();
        target
    }

    #[test]
    fn no_time_is_later_and_all_else_stays() {
        let late = archive(LATEST + 5, "1700000000.25");
        let later = archive(LATEST + 99, "1800000000.5");
        assert_eq!(clamped(&late), clamped(&later));
        assert_eq!(clamped(&late), archive(LATEST, "1700000000"));
        let early = archive(LATEST - 1, "1600000000.75");
        assert_eq!(clamped(&early), early);
    }

    #[test]
    fn a_record_counts_itself() {
        assert_eq!(new_record("mtime", "1"), b"11 mtime=1\n");
        assert_eq!(new_record("m", "12"), b"7 m=12\n");
    }
}

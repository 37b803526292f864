//! Bytes at rest, in memory or in a file, and how they are downloaded.

use std::io;
use std::path::PathBuf;

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, header};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, SeekFrom};
use tokio_util::io::ReaderStream;

/// Bytes at rest.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// In memory.
    Memory(Bytes),
    /// In a file.
    File(PathBuf),
}

impl Content {
    /// How many bytes there are; an error when there is no such file.
    pub(super) async fn size(&self) -> io::Result<u64> {
        match self {
            Self::Memory(bytes) => Ok(bytes.len() as u64),
            Self::File(path) => Ok(tokio::fs::metadata(path).await?.len()),
        }
    }

    /// The answer to a GET: all of it, or the `Range` that the headers ask for.
    pub(super) async fn download(&self, headers: &HeaderMap) -> io::Result<Response<Body>> {
        let size = self.size().await?;
        let response = Response::builder()
            .header(header::ACCEPT_RANGES, "bytes")
            .header(header::CONTENT_TYPE, "application/octet-stream");
        let response = match range(headers, size) {
            Range::All => response
                .header(header::CONTENT_LENGTH, size)
                .body(self.part(0, size).await?),
            Range::Part(first, last) => response
                .status(StatusCode::PARTIAL_CONTENT)
                .header(header::CONTENT_LENGTH, last - first + 1)
                .header(
                    header::CONTENT_RANGE,
                    format!("bytes {first}-{last}/{size}"),
                )
                .body(self.part(first, last - first + 1).await?),
            Range::Outside => response
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(header::CONTENT_RANGE, format!("bytes */{size}"))
                .body(Body::empty()),
        };
        Ok(response.expect("numbers are valid headers"))
    }

    async fn part(&self, first: u64, length: u64) -> io::Result<Body> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(first).map_err(io::Error::other)?;
                let length = usize::try_from(length).map_err(io::Error::other)?;
                Ok(Body::from(bytes.slice(start..start + length)))
            }
            Self::File(path) => {
                let mut file = tokio::fs::File::open(path).await?;
                file.seek(SeekFrom::Start(first)).await?;
                Ok(Body::from_stream(ReaderStream::with_capacity(
                    file.take(length),
                    256 * 1024,
                )))
            }
        }
    }
}

enum Range {
    All,
    Part(u64, u64),
    Outside,
}

/// Reads `bytes=FIRST-` and `bytes=FIRST-LAST`; any other form means all, as RFC 9110 allows.
fn range(headers: &HeaderMap, size: u64) -> Range {
    let asked = || {
        let value = headers.get(header::RANGE)?.to_str().ok()?;
        let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
        let last = match last {
            "" => u64::MAX,
            last => last.parse().ok()?,
        };
        Some((first.parse::<u64>().ok()?, last))
    };
    match asked() {
        Some((first, _)) if first >= size => Range::Outside,
        Some((first, last)) if first <= last => Range::Part(first, last.min(size - 1)),
        Some(_) | None => Range::All,
    }
}

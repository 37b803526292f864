//! How layers are compressed, and how the compression of what is read is told.

use std::io::{self, BufRead, BufReader, Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// How new layers are compressed. The same content gives the same bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Compression {
    /// Gzip, which every container runtime reads.
    #[default]
    Gzip,
    /// Zstandard, which containerd reads since 1.5 and Docker since 23.0: 20.10 fails with `unexpected
    /// EOF`.
    Zstd,
}

/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;

impl Compression {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The media type of a layer that is compressed like this.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }

    /// The compression that the first bytes of a file tell.
    pub(super) fn told_by(beginning: &[u8]) -> Option<Self> {
        match beginning {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Compresses what is written to it.
pub(super) enum Encoder<W: Write> {
    Gzip(GzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Encoder<W> {
    pub(super) fn new(compression: Compression, target: W) -> io::Result<Self> {
        Ok(match compression {
            // The header carries neither a name nor a time.
            Compression::Gzip => Self::Gzip(GzEncoder::new(target, flate2::Compression::default())),
            Compression::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(target, ZSTD_LEVEL)?),
        })
    }

    /// Writes the end, and gives back what it wrote to.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}

/// What is in a file that begins here, whether it is compressed or not.
pub(super) fn decompress<'a>(file: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut file = BufReader::new(file);
    Ok(match Compression::told_by(file.fill_buf()?) {
        Some(Compression::Gzip) => Box::new(MultiGzDecoder::new(file)),
        Some(Compression::Zstd) => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        None => Box::new(file),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_read_again() {
        let content = b"content ".repeat(1000);
        for compression in [Compression::Gzip, Compression::Zstd] {
            let mut encoder = Encoder::new(compression, Vec::new()).unwrap();
            encoder.write_all(&content).unwrap();
            let compressed = encoder.finish().unwrap();
            assert!(compressed.len() < content.len());
            assert_eq!(Compression::told_by(&compressed), Some(compression));
            let mut read = Vec::new();
            let mut decoder = decompress(&compressed[..]).unwrap();
            decoder.read_to_end(&mut read).unwrap();
            assert_eq!(read, content);
        }
    }
}

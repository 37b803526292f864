//! A connection to the daemon that carries bytes, for what bollard cannot say.

use std::io::{self, Error as IoError};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::{Address, Scheme, Tls};

/// The longest head of an answer, in bytes.
const HEAD: usize = 16 * 1024;

/// Bytes in both directions.
trait Duplex: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// A connection of its own to the daemon.
pub(super) struct Wire(Pin<Box<dyn Duplex>>);

/// The head of an answer.
pub(super) struct Head {
    /// The status, such as 200.
    pub(super) status: u16,
    /// The names in lower case, and the values.
    headers: Vec<(String, String)>,
}

impl Head {
    /// The value of a header, by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        Some(Self {
            status,
            headers: headers.collect(),
        })
    }
}

impl Wire {
    /// Connects.
    pub(super) async fn open(address: &Address) -> io::Result<Self> {
        let place = address.place.as_str();
        Ok(Self(match (address.scheme, &address.tls) {
            (Scheme::Tcp, None) => Box::pin(TcpStream::connect(place).await?),
            (Scheme::Tcp, Some(tls)) => Box::pin(over_tls(place, tls).await?),
            (Scheme::Ssh, _) => Box::pin(over_ssh(place)?),
            (Scheme::Unix | Scheme::NamedPipe, _) => local(address).await?,
        }))
    }

    /// Sends a request without a body and reads the head of the answer; what follows it stays on
    /// the wire. `headers` end with line breaks, each.
    pub(super) async fn ask(&mut self, line: &str, headers: &str) -> io::Result<Head> {
        let request = format!("{line} HTTP/1.1\r\nHost: docker\r\n{headers}\r\n");
        self.write_all(request.as_bytes()).await?;
        self.flush().await?;
        let mut head = Vec::new();
        // Byte by byte: what comes after the head belongs to another protocol.
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == HEAD {
                return Err(senseless());
            }
            head.push(self.read_u8().await?);
        }
        let text = String::from_utf8_lossy(&head);
        Head::parse(&text).ok_or_else(senseless)
    }
}

fn senseless() -> IoError {
    IoError::new(io::ErrorKind::InvalidData, "its answer makes no sense")
}

#[cfg(unix)]
async fn local(address: &Address) -> io::Result<Pin<Box<dyn Duplex>>> {
    Ok(Box::pin(
        tokio::net::UnixStream::connect(&address.place).await?,
    ))
}

#[cfg(windows)]
async fn local(address: &Address) -> io::Result<Pin<Box<dyn Duplex>>> {
    let name = address.place.replace('/', "\\");
    let pipe = tokio::net::windows::named_pipe::ClientOptions::new().open(name)?;
    Ok(Box::pin(pipe))
}

async fn over_tls(place: &str, files: &Tls) -> io::Result<impl Duplex + use<>> {
    let pem = IoError::other::<rustls::pki_types::pem::Error>;
    let certificates = |path| {
        let found = CertificateDer::pem_file_iter(path).map_err(pem)?;
        found.collect::<Result<Vec<_>, _>>().map_err(pem)
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(&files.ca)?);
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(pem)?;
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_client_auth_cert(certificates(&files.certificate)?, key)
        .map_err(IoError::other)?;
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    let host = host.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host).map_err(IoError::other)?;
    let stream = TcpStream::connect(place).await?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// As the `docker` command does it: over `docker system dial-stdio` at the other end.
fn over_ssh(place: &str) -> io::Result<impl Duplex + use<>> {
    let mut child = tokio::process::Command::new("ssh")
        .args(["-T", "-o", "BatchMode=yes"])
        .arg("--")
        .arg(format!("ssh://{place}"))
        .args(["docker", "system", "dial-stdio"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()?;
    let closed = || IoError::from(io::ErrorKind::BrokenPipe);
    let input = child.stdin.take().ok_or_else(closed)?;
    let output = child.stdout.take().ok_or_else(closed)?;
    Ok(tokio::io::join(output, input))
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(context)
    }
}

impl tonic::transport::server::Connected for Wire {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

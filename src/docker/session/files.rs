//! The Dockerfile and the context, in the protocol of BuildKit's `fsutil`: all names and modes
//! first, then the contents that are asked for. See
//! <https://github.com/tonistiigi/fsutil/blob/master/send.go>.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bollard::fsutil::types::packet::PacketType;
use bollard::fsutil::types::{Packet, Stat};
use bollard::moby::filesync::v1::file_sync_server::FileSync;
use futures_util::{Stream, stream};
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use crate::context::{Spool, SpooledEntry, SpooledKind};

/// The name of the Dockerfile in its own folder.
pub(in crate::docker) const DOCKERFILE: &str = "Dockerfile";

const IGNORE_FILE: &str = ".dockerignore";

/// As many packets wait for BuildKit.
const WAITING: usize = 16;

/// Go's bits of a file's mode. See <https://pkg.go.dev/io/fs#FileMode>.
mod mode {
    pub(super) const FOLDER: u32 = 1 << 31;
    pub(super) const LINK: u32 = 1 << 27;
    /// POSIX's bit, and Go's.
    pub(super) const SPECIAL: [(u32, u32); 3] =
        [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];
}

/// As many bytes of a file travel together.
const CHUNK: u64 = 256 * 1024;

/// The folders that BuildKit can get.
pub(super) struct Files {
    dockerfile: Arc<Spool>,
    context: Arc<Spool>,
}

impl Files {
    pub(super) fn new(dockerfile: &str, context: Option<Spool>) -> Self {
        Self {
            dockerfile: Arc::new(Spool::of_file(DOCKERFILE, dockerfile)),
            context: Arc::new(context.unwrap_or_else(Spool::empty)),
        }
    }
}

type Packets = Pin<Box<dyn Stream<Item = Result<Packet, Status>> + Send>>;

#[tonic::async_trait]
impl FileSync for Files {
    type DiffCopyStream = Packets;
    type TarStreamStream = Packets;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Packets>, Status> {
        let asked = |name: &str| texts(request.metadata(), name);
        let folder = match asked("dir-name").first() {
            Some(&"context") => &self.context,
            Some(&"dockerfile") => &self.dockerfile,
            _ => return Err(Status::not_found("there is no such folder")),
        };
        // Other choices only save bytes: what more there is in the answer no line sees.
        let only = match asked("followpaths")[..] {
            [IGNORE_FILE] => Some(IGNORE_FILE),
            _ => None,
        };
        let folder = Arc::clone(folder);
        let entries: Vec<SpooledEntry> = folder
            .entries()
            .iter()
            .filter(|entry| only.is_none_or(|only| entry.path == only))
            .cloned()
            .collect();
        let (packets, mut answer) = channel(WAITING);
        let (wishes, wanted) = unbounded_channel();
        tokio::spawn(listen(request.into_inner(), wishes));
        tokio::spawn(send(folder, entries, wanted, packets));
        let answer = stream::poll_fn(move |context| answer.poll_recv(context));
        Ok(Response::new(Box::pin(answer)))
    }

    async fn tar_stream(&self, _: Request<Streaming<Packet>>) -> Result<Response<Packets>, Status> {
        Err(Status::unimplemented("files are sent one by one"))
    }
}

fn texts<'a>(metadata: &'a MetadataMap, name: &str) -> Vec<&'a str> {
    let values = metadata.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok()).collect()
}

/// What BuildKit says of a folder.
enum Wish {
    /// The content of the entry of this number.
    Content(u32),
    /// Nothing more.
    Nothing,
}

/// Takes wishes while the names are still on their way, so that neither side waits for the other.
async fn listen(mut packets: Streaming<Packet>, wishes: UnboundedSender<Wish>) {
    while let Ok(Some(packet)) = packets.message().await {
        let wish = match packet.r#type() {
            PacketType::PacketReq => Wish::Content(packet.id),
            PacketType::PacketFin => Wish::Nothing,
            _ => return,
        };
        if wishes.send(wish).is_err() {
            return;
        }
    }
}

async fn send(
    folder: Arc<Spool>,
    entries: Vec<SpooledEntry>,
    mut wishes: UnboundedReceiver<Wish>,
    packets: Sender<Result<Packet, Status>>,
) -> Option<()> {
    // BuildKit may leave at any time; then nothing more is wanted.
    let put = async |packet| packets.send(packet).await.ok();
    for entry in &entries {
        put(Ok(packet(PacketType::PacketStat, Some(stat(entry)), 0))).await?;
    }
    put(Ok(packet(PacketType::PacketStat, None, 0))).await?;
    while let Some(wish) = wishes.recv().await {
        let Wish::Content(id) = wish else {
            return put(Ok(packet(PacketType::PacketFin, None, 0))).await;
        };
        let Some(SpooledKind::File { start, size }) =
            entries.get(id as usize).map(|entry| &entry.kind)
        else {
            return put(Err(Status::invalid_argument("that is no file"))).await;
        };
        let (mut start, end) = (*start, start + size);
        while start < end {
            let length = CHUNK.min(end - start);
            let folder = Arc::clone(&folder);
            let read = tokio::task::spawn_blocking(move || folder.read(start, length));
            let data = match read
                .await
                .unwrap_or_else(|error| Err(io::Error::other(error)))
            {
                Ok(data) => data,
                Err(error) => return put(Err(error.into())).await,
            };
            start += length;
            let chunk = packet(PacketType::PacketData, None, id);
            put(Ok(Packet { data, ..chunk })).await?;
        }
        // A piece without bytes is the end.
        put(Ok(packet(PacketType::PacketData, None, id))).await?;
    }
    None
}

fn packet(kind: PacketType, stat: Option<Stat>, id: u32) -> Packet {
    Packet {
        r#type: kind.into(),
        stat,
        id,
        data: Vec::new(),
    }
}

fn stat(entry: &SpooledEntry) -> Stat {
    let mut stat = Stat {
        path: entry.path.clone(),
        mode: entry.mode & 0o777,
        mod_time: i64::try_from(entry.modified).unwrap_or_default() * 1_000_000_000,
        ..Stat::default()
    };
    for (posix, go) in mode::SPECIAL {
        if entry.mode & posix != 0 {
            stat.mode |= go;
        }
    }
    match &entry.kind {
        SpooledKind::Folder => stat.mode |= mode::FOLDER,
        SpooledKind::Link(target) => {
            stat.mode |= mode::LINK;
            stat.linkname.clone_from(target);
        }
        SpooledKind::File { size, .. } => stat.size = i64::try_from(*size).unwrap_or(i64::MAX),
    }
    stat
}

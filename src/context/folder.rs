//! A build context.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tar::Builder;
use tokio::sync::OnceCell;
use tracing::debug;

use super::archive::pack;
use super::error::Error;
use super::ignore::{BadLine, Ignore};
use super::shipment::{Shipment, Tee};
use super::spool::Spool;
use crate::image::Digest;

pub(super) const IGNORE_FILE: &str = ".dockerignore";

/// The folder that `COPY` and `ADD` lines take files from. Clones share what was found out.
#[derive(Clone, Debug)]
pub struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Without symbolic links.
    folder: PathBuf,
    /// The text of its `.dockerignore`; empty where there is none.
    ignore_text: String,
    ignore: Ignore,
    digest: OnceCell<Digest>,
}

impl Context {
    /// Opens the folder at a path that starts at `within`. A path that goes up with `..`, or is
    /// absolute, says where it leads; any other must not leave `within` by a symbolic link.
    pub fn open(within: &Path, path: &Path) -> Result<Self, Error> {
        let named = within.join(path);
        let folder = match named.canonicalize() {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Missing { folder: named });
            }
            Err(source) => {
                let path = named;
                return Err(Error::Read { path, source });
            }
        };
        if !folder.is_dir() {
            return Err(Error::NoFolder { folder: named });
        }
        let stays = path
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        // The folder of a file in the working directory is empty.
        let within = [within, Path::new(".")]
            .into_iter()
            .find_map(|folder| folder.canonicalize().ok());
        if let Some(within) = within
            && stays
            && !folder.starts_with(&within)
        {
            return Err(Error::Escapes {
                folder: named,
                target: folder,
                within,
            });
        }
        let file = folder.join(IGNORE_FILE);
        let ignore_text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(Error::Read { path: file, source }),
        };
        let ignore = Ignore::parse(&ignore_text);
        let ignore = ignore.map_err(|BadLine { line, text }| Error::Pattern {
            file: named.join(IGNORE_FILE),
            line,
            pattern: text,
        })?;
        let digest = OnceCell::new();
        Ok(Self(Arc::new(Inner {
            folder,
            ignore_text,
            ignore,
            digest,
        })))
    }

    /// The folder, without symbolic links.
    pub(super) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// The digest of all that is in it and not left out by `.dockerignore`: names, modes, targets
    /// of links and contents, and neither times nor owners nor where the folder is. It is computed
    /// once; what is sent later must be the same.
    pub async fn digest(&self) -> Result<&Digest, Error> {
        let compute = async || {
            let context = self.clone();
            let digest = tokio::task::spawn_blocking(move || context.compute());
            digest.await.unwrap_or_else(|error| {
                Err(Error::Pack {
                    folder: self.0.folder.clone(),
                    source: io::Error::other(error),
                })
            })
        };
        self.0.digest.get_or_try_init(compute).await
    }

    fn compute(&self) -> Result<Digest, Error> {
        let digest = self.pack(&mut Builder::new(Tee::new(io::sink())))?;
        debug!(folder = %self.0.folder.display(), %digest, "read the build context");
        Ok(digest)
    }

    /// Writes it into an archive that stays open, and gives the digest of what was written.
    pub(super) fn pack<W: io::Write>(
        &self,
        archive: &mut Builder<Tee<W>>,
    ) -> Result<Digest, Error> {
        pack(&self.0.folder, &self.0.ignore, archive)?;
        Ok(archive.get_ref().digest())
    }

    /// What the daemon needs: the context and a Dockerfile, which none of the lines can copy.
    pub async fn ship(&self, dockerfile: &str) -> Result<Shipment, Error> {
        let digest = self.digest().await?.clone();
        Ok(Shipment::start(self.clone(), digest, dockerfile))
    }

    /// The context as it is now, for whoever asks for single files.
    pub async fn spool(&self) -> Result<Spool, Error> {
        let digest = self.digest().await?.clone();
        let context = self.clone();
        let spool = tokio::task::spawn_blocking(move || Spool::of(&context, &digest));
        spool.await.unwrap_or_else(|error| {
            Err(Error::Pack {
                folder: self.0.folder.clone(),
                source: io::Error::other(error),
            })
        })
    }

    /// The `.dockerignore` to send. The daemon removes from a context what is named `.dockerignore`
    /// or is the Dockerfile, where these rules leave it out. Docker's own client adds such a line
    /// for a Dockerfile from elsewhere.
    pub(super) fn ignore_file(&self, dockerfile: &str) -> String {
        let text = &self.0.ignore_text;
        if text.is_empty() || self.0.ignore.excludes(IGNORE_FILE) {
            format!("{IGNORE_FILE}\n{dockerfile}\n")
        } else {
            format!("{text}\n{dockerfile}\n")
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fmt::Write as _;
    use std::fs::{FileTimes, Permissions};
    use std::io::Read as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;
    use std::time::{Duration, SystemTime};

    use futures_util::TryStreamExt as _;
    use tempfile::TempDir;

    use super::*;

    const RULES: &str = "# rules\nout\n!out/b/kept\n*.log\nDockerfile\n";

    /// A folder with something of everything, and of this age.
    fn folder(age: u64) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let time = SystemTime::now() - Duration::from_secs(age);
        fs::create_dir_all(at("out/b")).unwrap();
        fs::create_dir_all(at("empty")).unwrap();
        for (name, mode) in [
            ("z", 0o644),
            ("run.sh", 0o755),
            ("out/a", 0o644),
            ("x.log", 0o644),
        ]
        .into_iter()
        .chain([
            ("out/b/kept", 0o600),
            ("Dockerfile", 0o644),
            (IGNORE_FILE, 0o644),
        ]) {
            let text = if name == IGNORE_FILE { RULES } else { name };
            fs::write(at(name), text).unwrap();
            fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
            let file = fs::File::open(at(name)).unwrap();
            file.set_times(FileTimes::new().set_modified(time)).unwrap();
        }
        for name in ["out", "out/b", "empty"] {
            fs::set_permissions(at(name), Permissions::from_mode(0o755)).unwrap();
        }
        symlink("/nowhere/at/all", at("link")).unwrap();
        drop(UnixListener::bind(at("socket")).unwrap());
        folder
    }

    fn open(folder: &TempDir) -> Context {
        Context::open(folder.path(), Path::new(".")).unwrap()
    }

    async fn sent(context: &Context) -> Vec<u8> {
        let shipment = context.ship("FROM base\n").await.unwrap();
        let (chunks, packing) = shipment.open();
        let chunks: Vec<_> = chunks.try_collect().await.unwrap();
        assert!(packing.failure().await.is_none());
        chunks.concat()
    }

    #[tokio::test]
    async fn the_same_folder_elsewhere_gives_the_same_bytes() {
        let (one, other) = (folder(5), folder(90_000));
        let (context, copy) = (open(&one), open(&other));
        assert_eq!(
            context.digest().await.unwrap(),
            copy.digest().await.unwrap()
        );
        let bytes = sent(&context).await;
        assert_eq!(bytes, sent(&copy).await);

        let mut archive = tar::Archive::new(&bytes[..]);
        let mut listed = String::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let header = entry.header();
            let link = header.link_name().unwrap().unwrap_or_default();
            writeln!(
                listed,
                "{} {:o} {}{:?}",
                entry.path().unwrap().display(),
                header.mode().unwrap(),
                link.display(),
                text
            )
            .unwrap();
        }
        let name = format!(".longshore.{}.", context.digest().await.unwrap().short());
        insta::assert_snapshot!(listed.replace(&name, "NAME."), @r##"
        .dockerignore 644 "# rules\nout\n!out/b/kept\n*.log\nDockerfile\n"
        empty/ 755 ""
        link 777 /nowhere/at/all""
        out/ 755 ""
        out/b/ 755 ""
        out/b/kept 600 "out/b/kept"
        run.sh 755 "run.sh"
        z 644 "z"
        NAME.Dockerfile 644 "FROM base\n"
        .dockerignore 644 "# rules\nout\n!out/b/kept\n*.log\nDockerfile\n\nNAME.Dockerfile\n"
        "##);
    }

    #[tokio::test]
    async fn what_counts_changes_the_digest() {
        let digest = async |change: &dyn Fn(&Path)| {
            let folder = folder(0);
            change(folder.path());
            open(&folder).digest().await.unwrap().clone()
        };
        let plain = digest(&|_| {}).await;
        let same: [&dyn Fn(&Path); 2] =
            [&|it| fs::write(it.join("out/a"), "else").unwrap(), &|it| {
                fs::write(it.join("new.log"), "").unwrap();
            }];
        for change in same {
            assert_eq!(digest(change).await, plain);
        }
        let others: [&dyn Fn(&Path); 5] = [
            &|it| fs::write(it.join("z"), "else").unwrap(),
            &|it| fs::rename(it.join("z"), it.join("y")).unwrap(),
            &|it| fs::set_permissions(it.join("z"), Permissions::from_mode(0o755)).unwrap(),
            &|it| fs::create_dir(it.join("more")).unwrap(),
            &|it| {
                fs::remove_file(it.join("link")).unwrap();
                symlink("z", it.join("link")).unwrap();
            },
        ];
        for change in others {
            assert_ne!(digest(change).await, plain);
        }
    }

    /// A changed value here would rebuild every image with a context.
    #[tokio::test]
    async fn the_digest_never_changes() {
        let folder = folder(0);
        let digest = open(&folder).digest().await.unwrap().to_string();
        insta::assert_snapshot!(digest, @"sha256:df62e023c30a4bbf9cea74dee8c11eb85c2b298c79226b3fa7c58e993f3a5902");
    }

    #[tokio::test]
    async fn what_changed_since_the_plan_is_not_sent() {
        let folder = folder(0);
        let context = open(&folder);
        context.digest().await.unwrap();
        fs::write(folder.path().join("z"), "else").unwrap();
        let (chunks, packing) = context.ship("FROM base\n").await.unwrap().open();
        assert!(chunks.try_collect::<Vec<_>>().await.is_err());
        let error = packing.failure().await.unwrap();
        assert!(matches!(error, Error::Changed { .. }), "{error}");
    }

    #[test]
    fn nothing_leads_out_of_it() {
        let (inside, outside) = (folder(0), folder(0));
        let at = |name: &str| inside.path().join(name);
        symlink(outside.path(), at("away")).unwrap();
        symlink("empty", at("near")).unwrap();
        fs::write(at("empty").join(IGNORE_FILE), "[").unwrap();
        let told = |path: &str| {
            let error = Context::open(inside.path(), Path::new(path)).unwrap_err();
            let text = crate::failure::chain(&error);
            let text = text.replace(outside.path().to_str().unwrap(), "/out");
            text.replace(inside.path().to_str().unwrap(), "/in")
        };
        let told = ["away", "absent", "z", "near"].map(told).join("\n");
        insta::assert_snapshot!(told, @r"
        `/in/away` leads to `/out`, outside of `/in`
        there is no folder `/in/absent`
        `/in/z` is no folder
        line 1 of `/in/near/.dockerignore` is no pattern: `[`
        ");
        let written_out = Context::open(&at("empty"), Path::new("..")).unwrap();
        for (source, expected) in [
            ("z", ""),
            ("./out/../z", ""),
            ("/../z", ""),
            ("*.none", ""),
            ("$X/../../y", ""),
            ("../z", "`../z` is outside of the build context"),
            (
                "out/../../$X",
                "`out/../../$X` is outside of the build context",
            ),
            (
                "away/z",
                "`away/z` leads out of the build context by a symbolic link",
            ),
            ("none", "there is no `none` in the build context `/in`"),
        ] {
            let error = written_out.check_source(source).err();
            let told = error.map_or(String::new(), |error| error.to_string());
            assert_eq!(
                told.replace(inside.path().to_str().unwrap(), "/in"),
                expected
            );
        }
    }
}

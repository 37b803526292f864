//! Building with BuildKit.

use bollard::models::BuildInfoAux;
use futures_util::StreamExt;

use super::build::{BuildRequest, id_in, options, whole};
use super::connection::{Docker, GREETING};
use super::error::{Error, Task, Transport};
use super::printout::Printout;
use super::progress::Progress;
use super::session::{DOCKERFILE, Provisions, Session};
use super::wire::Wire;

impl Docker {
    pub(super) async fn build_with_buildkit(
        &self,
        request: &BuildRequest<'_>,
        output: &mut (dyn FnMut(&str) + Send),
    ) -> Result<crate::image::Digest, Error> {
        let session = self.session(request).await?;
        // The files come by the session, so the request brings none.
        let options = options(request, DOCKERFILE)
            .remote("client-session")
            .session(session.id())
            .build();
        let client = self.for_buildkit();
        let body = bollard::body_full(bytes::Bytes::new());
        let mut progress = Progress::new(Printout::new(output));
        let mut id = None;
        let mut failure = None;
        let mut stream = client.build_image(options, None, Some(body));
        while let Some(item) = stream.next().await {
            match item {
                Ok(item) => {
                    if let Some(BuildInfoAux::BuildKit(news)) = &item.aux {
                        progress.show(news);
                    }
                    id = id_in(item).or(id);
                }
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        drop(session);
        match failure {
            Some(error) => Err(progress.explain(error)),
            None => whole(id.as_deref()),
        }
    }

    async fn session(&self, request: &BuildRequest<'_>) -> Result<Session, Error> {
        let spool = match request.context {
            Some(context) => Some(context.spool().await?),
            None => None,
        };
        let provisions = Provisions {
            dockerfile: request.dockerfile.to_owned(),
            spool,
            logins: request.logins.to_vec(),
            secrets: request.secrets.to_vec(),
        };
        let open = async {
            let wire = Wire::open(&self.address).await?;
            Session::open(wire, &self.prefix, provisions).await
        };
        let opened = tokio::time::timeout(GREETING, open).await;
        let opened = opened.unwrap_or_else(|elapsed| Err(elapsed.into()));
        opened.map_err(|source| Error::Lost {
            task: Task::Build,
            source: Transport::io(source),
        })
    }
}

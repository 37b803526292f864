//! What a `COPY` or `ADD` line takes from the context.

use std::path::Path;

use super::folder::Context;
use super::path::clean;

/// What hides which file is meant: variables, wildcards, quotation marks.
const UNCERTAIN: [char; 7] = ['$', '*', '?', '[', '\\', '"', '\''];

/// A line names what the context does not have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SourceError {
    /// `..` leads out of it.
    #[error("`{name}` is outside of the build context")]
    Outside {
        /// What the line names.
        name: String,
    },
    /// A symbolic link leads out of it.
    #[error("`{name}` leads out of the build context by a symbolic link")]
    LinkedOutside {
        /// What the line names.
        name: String,
    },
    /// There is no such file or folder.
    #[error("there is no `{name}` in the build context `{folder}`")]
    Missing {
        /// What the line names.
        name: String,
        /// The context.
        folder: String,
    },
}

impl SourceError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Outside { .. } | Self::LinkedOutside { .. } => {
                "a build sees nothing outside of the folder that `build.context` names"
            }
            Self::Missing { .. } => "sources are relative to the folder that `build.context` names",
        }
    }
}

impl Context {
    /// Looks for what a line names, as far as that can be told before the build.
    pub fn check_source(&self, name: &str) -> Result<(), SourceError> {
        if leads_out(name) {
            let name = name.to_owned();
            return Err(SourceError::Outside { name });
        }
        if name.contains(UNCERTAIN) {
            return Ok(());
        }
        let folder = self.folder();
        let inside = clean(name);
        let path = folder.join(Path::new(inside.trim_start_matches('/')));
        match path.canonicalize() {
            Ok(target) if target.starts_with(folder) => Ok(()),
            Ok(_) => Err(SourceError::LinkedOutside {
                name: name.to_owned(),
            }),
            Err(_) => Err(SourceError::Missing {
                name: name.to_owned(),
                folder: folder.display().to_string(),
            }),
        }
    }
}

/// Whether `..` leads above the top, whatever variables stand for. An absolute path begins at the
/// top and stays below it.
fn leads_out(name: &str) -> bool {
    let known = name.split('/').take_while(|part| !part.contains('$'));
    let known = known.collect::<Vec<_>>().join("/");
    let known = clean(known.trim_matches(['"', '\'']));
    known == ".." || known.starts_with("../")
}

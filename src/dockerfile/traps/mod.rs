//! What Docker does silently.

mod stage;
mod trap;

pub use trap::{Trap, TrapKind};

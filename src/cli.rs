//! The arguments, each with its environment variable.

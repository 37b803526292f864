//! The Docker daemon: every call wrapped once.

//! AWS sessions and readable errors: every AWS call wrapped once.

//! One file per verb: gathers, calls, prints.

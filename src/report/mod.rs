//! Events and outcomes as lines, tables and JSON; the only place that knows a terminal.

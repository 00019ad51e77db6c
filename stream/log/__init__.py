"""The event log: one interface, an embedded implementation on SQLite."""

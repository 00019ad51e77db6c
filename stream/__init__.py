"""Events, the event log and the state store: everything between a click and durable state."""

"""The ingest role: clicks to durable state."""

"""Offline accuracy: event files in, ranks and metrics out, and two runs compared."""

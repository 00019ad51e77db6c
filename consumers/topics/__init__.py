"""Topics as commands use them: ranges, look-ups, feeding."""

"""The three roles, their supervisor, replay, configuration, metrics and the `gsr` command."""

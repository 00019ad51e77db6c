"""The application: roles, offline work, configuration, metrics and the `gsr` command.

Joins the library with events, logs and state. What could be used without a process belongs to one
of these.
"""

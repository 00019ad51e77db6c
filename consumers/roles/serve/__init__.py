"""The role `serve`: an HTTP API over topics, snapshots and views.

It reads and answers; nothing of it is needed by another role. Only the posted clicks that a setting
allows are written, to the topic where every other producer puts them.
"""

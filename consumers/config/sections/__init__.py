"""Sections of settings, one file each, named as in the file of settings.

Their docstrings are the manual: `consumers/config/default.toml` is written from them. A section is
frozen; units are in the names; a duration is a plain number.
"""

"""Clicks and the other records: schemas, codecs, readers of event files."""

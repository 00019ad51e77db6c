"""Clicks and the bytes of the topic `clicks`: what a click is, decoding, encoding, hashes.

Only what judges, reads or writes clicks of that topic may enter.
"""

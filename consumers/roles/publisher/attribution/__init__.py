"""What became of the lists that were sent: each click is held against the list of its user.

`docs/attribution.md` says what is counted; this package does it.
"""

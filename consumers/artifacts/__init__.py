"""Artifact store: checkpoints, serving views, snapshots and the trainer's journal.

Everything that writes, reads, prunes or restores artifacts lives here, on local disks and far
away. What is inside of them comes from the rooms that make them.
"""

"""Answers to people who ask what the state and the model say, and how to mend damage.

Everything here only reads: checkpoints, serving views, snapshots and the log.
"""

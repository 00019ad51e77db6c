"""The learning loop with a service's settings, its serving view, and its journal for restarts.

Shared by the trainer and offline work. It imports no torch.
"""

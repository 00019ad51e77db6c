"""How good lists are: protocols, metrics, prequential sums, significance, drift.

Knows ranks and outcomes alone, not where they come from. Imports no torch.
"""

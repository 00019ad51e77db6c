"""Measures of quality: splits, ranking metrics, prequential sums, significance tests, drift.

Knows ranks and outcomes alone, not where they come from. Imports no torch.
"""

"""Metrics: their catalogue, their manual, their registry."""

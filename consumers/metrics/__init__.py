"""Metrics: names, descriptions, the manual page made of them, and a registry per role.

Nothing is measured here: whoever knows a figure sets it, by its name in full.
"""

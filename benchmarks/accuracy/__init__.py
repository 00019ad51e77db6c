"""Baselines for `gsr evaluate`, each from its own library, ranked by our evaluator."""

"""MRGSRec (Baikalov & Frolov, WWW 2024 Companion, arXiv 2403.00895) without its leaks."""

"""A seeded stream of made-up shoppers, and the truth about them.

For demonstrations and tests; nothing else may depend on it.
"""

"""Why each item of a list is there: the click that carries it, found by leaving each one out.

Facts about lists that were made, and their words, may enter; what makes lists may not.
"""

"""`gsr bootstrap`: history becomes state and a first model.

Only what makes, or refuses, such a beginning may enter.
"""

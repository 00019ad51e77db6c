"""`gsr replay`: an event file through the library's loop, its quality, lists and report.

Only what feeds the loop from history, or shows the outcome, may enter.
"""

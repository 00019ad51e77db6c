"""`report.html`: a replay's result as one page that loads nothing.

Only what turns the document of a replay into HTML and plots may enter.
"""

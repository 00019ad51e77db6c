"""The page to look at: plain HTML, CSS and JavaScript, as browsers read them.

`consumers.roles.serve.page_routes` serves these files; `docs/page.md` says what they show.
"""

"""The console at `/console`: HTML pages for people, on the same server as the API.

Start at `console.py`, which puts the pages together; `shell.py` is what every page stands on (viewer, roles, forms,
rendering). Each area has files of its own. Pages read what the API reads, and act through the same use cases.
"""

"""The console over HTTP: what it sends, to whom, and what it refuses. `browsing.py` holds the visitor."""

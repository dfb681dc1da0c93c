"""Facts about the HTTP API, over real HTTP. `serving.py` starts a server, `world.py` holds what it knows."""

"""Facts about the Authorize.net adapter, over real HTTP to a local server that answers scripted bytes."""

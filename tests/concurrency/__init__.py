"""Many at once, over real HTTP: real servers, real databases, and sandboxes that speak the vendors' protocols.

`directory.py` makes reference data for any number of users, `world.py` starts everything and asks the ledgers.
"""

"""The simulated world around the real code.

Start at `world.py`. `loop.py` is time, `process.py` one process of the product, `ledger.py` and `mailbox.py` are the
vendors' books, `gateway.py` and `database.py` what a process sees of the world, `faults.py` what can go wrong.
Nothing here decides whether a run was right: that is for `tests/proof/invariants.py`.
"""

"""Read models that follow the log, and the engine that keeps, rebuilds and compares them.

A read model is one file with its tables, a pure fold of events into rows, and its queries: start at `model.py`, then
`revenue.py`; the double-entry `ledger` is a package. Its rows lie in a *generation* (`storage.py`); `registry.py` says
which one is served.

    live      projector.py → following.py → applying.py → writing.py     one leader, under a lease (leases.py)
    rebuild   rebuilding.py → building.py → comparing.py → switching.py

`open_work.py` is another thing: work for the background workers, which write there too, so it is never rebuilt.
May import `domain`; never `application`: decoding and engines come in from `api/read_models.py`.
"""

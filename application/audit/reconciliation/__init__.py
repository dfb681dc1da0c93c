"""Reconciliation: does the log match what the gateway settled?

Start at `reconcile.py`, which runs one comparison. `importing.py` takes the gateway's batches in as events, once each;
`books.py` gathers both sides in one scan of the log; `matching.py` compares them, purely (`disputes.py`: chargebacks
and their reversals); `causes.py` says in words why two sides disagree and what to type next; `breaks.py` keeps each
disagreement as a stream until somebody has dealt with it; `runs.py` records that the run was made.

Our side is read from the log and not from a read model: it is complete at one position, knows orphans and refunds by
their transaction, and finance need not trust a table that could be wrong in the same way.
"""

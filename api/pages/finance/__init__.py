"""Finance: the books that the log makes, what the gateway settled otherwise, months, exports, and the log's seals.

Start at `routes.py`. Figures come from the ledger; every one leads to the entries that make it up, and each
entry to the moment of the order that it books.
"""

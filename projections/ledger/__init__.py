"""The double-entry ledger: a read model that books what the log says happened to the money.

`rules.py` turns one event into one journal entry whose postings sum to zero; `accounts.py` is the chart of accounts;
`periods.py` decides which month an entry belongs to; `model.py` writes the rows of `tables.py`, which are only ever
added to; `balances.py`, `entries.py`, `clearing.py` and `months.py` are the questions; `exports` writes the journal to
files. Start at `rules.py`.
"""

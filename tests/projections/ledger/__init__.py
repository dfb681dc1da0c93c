"""The ledger: its rules, that it always balances, its questions, its files."""

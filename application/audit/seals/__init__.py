"""Seals: signed tree heads over the log, so that nobody can change what is stored and not be found out.

`leaf.py` says what is hashed, `merkle.py` how the hashes become a tree (RFC 9162), `checkpoint.py` how its head is
signed (C2SP). `sealer.py` follows the log and signs; `verifying.py` recomputes everything and names what was changed;
`bundle.py` packs events with their proofs for people who have no access to us. Start at `storing.py`, the ports.
"""

"""Deliberate defects in the real code: each must be caught, or the proof would prove nothing.

A mutant is a context manager that patches the running code, with the few scenarios that catch it. Start at
`registry.py`; the defects themselves are in the other files, by the part of the code that they break.
"""

from tests.proof.mutants import charge, corrections, email, intent, recovery
from tests.proof.mutants.registry import MUTANTS, Mutant, caught_by

__all__ = ["MUTANTS", "Mutant", "caught_by", "charge", "corrections", "email", "intent", "recovery"]

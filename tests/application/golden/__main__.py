"""Adds to the golden file what is new."""

from __future__ import annotations

import sys

from tests.application.golden import add_new

sys.stdout.write("\n".join([*add_new(), ""]))

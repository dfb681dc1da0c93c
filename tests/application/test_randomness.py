"""Random bytes are never handed out twice, not even in two processes of which one was forked from the other."""

from __future__ import annotations

import subprocess
import sys

from application.randomness import random_bytes

FORKING = """
import os
from application.randomness import random_bytes
random_bytes(1)
if child := os.fork():
    os.waitpid(child, 0)
os.write(1, random_bytes(32).hex().encode() + b" ")
"""


def test_no_bytes_are_handed_out_twice() -> None:
    taken = [random_bytes(16) for _ in range(2_000)]

    assert {len(piece) for piece in taken} == {16}
    assert len(set(taken)) == len(taken)
    assert len(random_bytes(10_000)) == 10_000


def test_a_forked_process_does_not_repeat_what_its_parent_takes() -> None:
    # In a process of its own: the one of the tests has threads, and must not fork.
    shown = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, check=True).stdout.split()

    assert len(shown) == 2
    assert shown[0] != shown[1]

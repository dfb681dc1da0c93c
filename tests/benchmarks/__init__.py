"""Measures what an order costs: the product beside a floor under it and the obvious build above it, in one run.

    uv run python -m tests.benchmarks --quick      a minute: one table
    uv run python -m tests.benchmarks --help       everything else

Start at `__main__.py`. `vendors.py` stands in for both vendors and costs next to nothing; `floor.py` is the least that
an order could cost; `obvious.py` uses the same packages as they ship; `targets.py` starts each of them; `load.py` sends
the orders; `matrix.py` interleaves and compares. `stages.py`, `growth.py`, `memory.py` and `proxied.py` look closer.
Nothing here is imported by the product. Linux only: it reads processor times from /proc through psutil.
"""

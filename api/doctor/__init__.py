"""`orders doctor`: looks at everything that an installation needs, and names what to do about each fault.

Start at `report.py`, which runs the checks side by side, each with its time limit; `checks.py` is the list of them.
The others hold the checks by what they look at. A check returns a `Finding` (finding.py) and changes nothing.
"""

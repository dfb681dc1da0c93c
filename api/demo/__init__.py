"""`orders demo`: every ending of pay_and_submit, tried over real HTTP against local sandboxes. Start at `run.py`."""

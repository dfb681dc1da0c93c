"""Every way in: HTTP, pages, command line; settings and the composition root.

Start at `app.py`, then `pay_and_submit/route.py`. The general HTTP machinery stands beside them: `statuses.py` (every
answer there is), `envelope.py` (its shape), `errors.py` (from exception to answer), `decoding.py` (from bytes to
parameters), `identification.py` and `authentication.py`. May import everything; nothing imports it.
"""

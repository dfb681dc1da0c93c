"""Use cases and the ports they need: no HTTP, no SQL, no vendor SDK outside `adapters`.

Start at `pay_and_submit.py`. May import `domain`; is imported by `api`.
"""

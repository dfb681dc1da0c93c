"""Operations: how the machinery runs, what waits for a person, and the actions that a person may take.

Start at `routes.py`. Actions on read models run in `api/maintaining.py`; every one asks for a reason and is an event.
"""

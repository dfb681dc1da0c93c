"""The reading routes: orders, their events, notifications. Start at `orders.py`; `readers.py` says who may read what."""

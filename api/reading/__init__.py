"""The reading routes: orders, their events, notifications. Start at `orders.py`; `readers.py` knows who may read."""

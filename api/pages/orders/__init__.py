"""Orders in the console: the list (`listing.py`), one order's page (`order_page.py`) and what can be done to it by hand
(`actions.py`). `story.py` makes the page's content from the events; `telling.py` says each of them in a sentence.
"""

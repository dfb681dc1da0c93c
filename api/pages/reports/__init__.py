"""The reports: charts made for reading, the table behind each, and the same as CSV. Start at `routes.py`.

A report is a function from a range of days to a `Shown` (`shape.py`): figures, charts and a table. Page and download
are made from the same one, so they cannot differ.
"""

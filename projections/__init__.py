"""Read models: each file holds a table, the handler that writes it from events, and the queries that read it.

May import `domain`; never `application`: events come in through `catch_up.Source`. Drop the tables and replay to
rebuild. Start at `catch_up.py`.
"""

"""The product as its clients meet it: real HTTP, real servers, real databases, and the vendors' sandboxes behind it.

`world.py` is what every test stands in: one server, two sandboxes and a store, shared by the tests of a module. Tests
stay apart by ordering for houses of their own: another home is another thing. Start there; `conftest.py` opens it once
for SQLite and once for PostgreSQL.
"""

"""Facts about the engine. The folders mirror the code; `databases.py` and `conftest.py` give every test a database."""

"""Where the seals lie: a schema (PostgreSQL) or a file (SQLite) of their own, and text files outside every database."""

"""Seals over real logs on both databases, and people who change what was sealed."""

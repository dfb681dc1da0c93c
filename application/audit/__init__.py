"""Audit: what happened, who decided it and by which rule, does the log match the gateway, has anyone changed it since.

Use cases over the log, for finance. They read events and ports; SQL and vendors stay in the adapters.
"""

"""Local servers that speak the vendors' wire protocols, so that everything runs on one machine with the real adapters.

`authorizenet/` takes charges, voids and refunds and answers lookups; `mandrill/` takes mail. Each opens a ledger of
what it did, in which a test or a person sees what the vendor would have seen. `running.py` starts any of them on a
port. Only `demo`, `sandbox` and the tests start them; nothing here is imported by the application or the domain.
Start in `running.py`.
"""

"""A server that answers like Authorize.net's XML API (and its JSON form): the real adapter runs against it unchanged.

The file to start in is `app.py`: the aiohttp application with the API, the ledger and the fault switches.

| file | holds |
|---|---|
| `profiles.py` | the payment profile ids and how a charge on each of them ends |
| `decoding.py`, `schema.xsd` | requests, read strictly |
| `encoding.py`, `codes.py` | answers, the codes and texts in them |
| `ledger.py` | what happened to money: transactions, batches, duplicates, settlement |
| `charging.py`, `corrections.py`, `reporting.py` | the operations: charge; void, refund, review; lists and details |
| `planting.py` | faults of settlement on purpose: another amount, missing, late, twice, charged back |
| `gateway.py` | one request: keys, faults, operation |
| `delivery.py`, `webhooks.py` | how an answer reaches its caller (or does not); signed notifications |

It never takes a card number for a charge, keeps everything in memory and must never be reachable from another machine.
"""

from api.sandbox.authorizenet.app import create_app
from api.sandbox.authorizenet.config import GatewayConfig

__all__ = ["GatewayConfig", "create_app"]

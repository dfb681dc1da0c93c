"""The product in real processes that are killed, paused and cut off; then the vendors' own ledgers say what happened.

`python -m tests.chaos --seconds 60 --seed 7` runs it for as long as wanted; the suite has a short run of the same.

| file | holds |
|---|---|
| `launcher.py` | one process of the product: the real `orders` command, with shorter limits; dies where it is told to |
| `processes.py`, `fleet.py` | starting such processes; keeping several up while they are killed and paused |
| `vendors.py`, `world.py` | the sandboxes in a process of their own; a store, and what to order |
| `proxy.py`, `postgres.py` | the network that delays, cuts and swallows; the database server that crashes |
| `clients.py` | people and programs that order all the time, and what they were told |
| `history.py`, `judge.py` | what the log says, held against what the vendors' ledgers say |
| `run.py`, `report.py` | one run from start to verdict |

Start in `run.py`; the promises that are checked are in `judge.py`.
"""

"""`python -m tests.projections.kill_often`: 50 kills on each database. Exit code 0 if no view was hurt."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

from tests.databases import fresh_database, run_folder, shared_server
from tests.projections.killing import holds
from tests.projections.world import opened_world


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.projections.kill_often")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orders-killing-") as folder:
        with opened_world(f"sqlite:///{Path(folder)}/orders.db") as world:
            on_sqlite = holds(world, options.kills, seed=options.seed)
        folder_of_server = run_folder(f"killing-{uuid4().hex[:8]}")
        with shared_server(folder_of_server) as server, fresh_database(server) as url, opened_world(url) as world:
            on_postgresql = holds(world, options.kills, seed=options.seed)
    sys.stdout.write(f"views equal a fresh fold: SQLite {on_sqlite}, PostgreSQL {on_postgresql}\n")
    raise SystemExit(0 if on_sqlite and on_postgresql else 1)


if __name__ == "__main__":
    main()

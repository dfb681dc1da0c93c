"""Where the logs of an exploration are kept: in memory, or in a real database, one world after another."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.databases import existing_server, fresh_database, run_folder, shared_server
from tests.proof.scenarios import POLICY, ScriptedPlan
from tests.proof.world.recorders import MemoryStore, RealStore, real_store
from tests.proof.world.settings import Settings
from tests.proof.world.world import World


@dataclass
class Store:
    """Where the worlds of one exploration keep their log."""

    real: RealStore | None = None
    worlds: int = 0

    def world(self, plan: ScriptedPlan) -> World:
        self.worlds += 1
        number = self.worlds if self.real else 0
        settings = Settings(seed=f"crash-{number}", number=number, policy=POLICY, settle_s=440.0, reconcile_s=200.0)
        if self.real is not None:
            return World(plan, settings, self.real, self.real.head())
        return World(plan, settings, MemoryStore())


def real_stores(stack: ExitStack) -> dict[str, Store]:
    """One on each database, for as long as the stack is open."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    server = existing_server() or stack.enter_context(shared_server(run_folder(uuid4().hex)))
    urls = {
        "on SQLite": f"sqlite:///{Path(folder)}/orders.db",
        "on PostgreSQL": stack.enter_context(fresh_database(server)),
    }
    return {name: Store(stack.enter_context(real_store(url))) for name, url in urls.items()}

"""The world: one gateway, one mail provider, one database, and any number of processes of the real product."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from random import Random
from typing import Any
from unittest.mock import patch

from eventsourcing.persistence import StoredEvent

from application.commands import Outcome, SubmitOrder
from application.work import WorkKind
from tests.proof.world.faults import Plan
from tests.proof.world.ledger import Ledger
from tests.proof.world.log import WorldLog
from tests.proof.world.loop import VirtualLoop, context_of
from tests.proof.world.mailbox import Mailbox
from tests.proof.world.process import Process
from tests.proof.world.read_models import ReadModels
from tests.proof.world.recorders import WorldRecorder
from tests.proof.world.settings import Answer, Settings

RESTART_S = 1.0


class World:
    """One run from the first request to quiescence. Made, run once, judged, thrown away."""

    def __init__(self, plan: Plan, settings: Settings, recorder: WorldRecorder, base: int = 0) -> None:
        self.settings = settings
        self.policy = settings.policy
        self.reconcile_s = settings.reconcile_s
        self.secret = f"an-example-secret-{settings.number:012d}".encode()
        self.random = Random(settings.seed)
        self.loop = VirtualLoop(settings.seed if settings.shuffle else None)  # type: ignore[abstract]
        self.context = context_of(None)
        self.plan = plan
        self.recorder = recorder
        self.base = base
        self.log = WorldLog(base)
        self.ledger = Ledger(first_id=1_000_000 * (settings.number + 1))
        self.mailbox = Mailbox()
        self.models = ReadModels(self)
        self.processes: dict[str, Process] = {}
        self.commands: list[SubmitOrder] = []
        self.answers: list[Answer] = []
        self.story: list[tuple[object, ...]] = []
        self.seen: Counter[str] = Counter()
        self.defects: list[str] = []
        self.crossings = 0
        self.trace: list[tuple[object, ...]] | None = None  # of every crossing, with what the world held then
        self.busy = 0  # clients, late landings and restarts that are still to come
        self.faults_end_s = 0.0

    # --- what may happen ----------------------------------------------------------------------------------------------

    def start(self, name: str) -> Process:
        """Start a process, or start it again."""
        process = Process(self, name, self.random.uniform(-1, 1) * self.settings.skew_s)
        self.processes[name] = process
        self.tell(name, "starts")
        process.start_work()
        return process

    def kill(self, process: Process) -> None:
        """End it here and now: nothing of it runs any more. It is started again after a moment."""
        if process.dead:
            return
        process.dead = True
        self.seen["process: killed"] += 1
        self.tell(process.name, "is killed")
        for reply in process.replies:
            _resolve(reply, None)
        self.later(RESTART_S, self.start, process.name)

    def freeze(self, process: Process, seconds: float) -> None:
        """Let it stand still, as a machine that is suspended does."""
        if not process.dead:
            process.frozen_until_s = self.loop.now_s + seconds
            self.seen["process: frozen"] += 1
            self.tell(process.name, "is frozen for", seconds)

    async def ask(self, name: str, command: SubmitOrder) -> Outcome | None:
        """A client's request to a process; None where the connection is lost."""
        process, reply = self.processes[name], self.loop.create_future()
        self.commands.append(command)
        self.tell(name, "is asked", command.request_id, command.promotion_code or "", command.idempotency_key or "")
        if process.dead:
            return None
        process.replies[reply] = None
        process.spawn(process.serve(command, reply))
        outcome: Outcome | None = await reply
        process.replies.pop(reply, None)
        self.answers.append(Answer(command, outcome, self.loop.now_s))
        told = f"{outcome.status} {outcome.detail or ''}".strip() if outcome else "connection lost"
        self.seen[f"answer: {told}"] += 1
        self.tell("client", "is told", command.request_id, told)
        return outcome

    def later(self, after_s: float, what: Callable[..., object], *args: object) -> None:
        """Something that happens whatever becomes of the processes."""
        self.busy += 1

        def happen() -> None:
            self.busy -= 1
            what(*args)

        self.loop.call_at(self.loop.now_s + max(after_s, 0.0), happen, context=self.context.copy())

    def start_task(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a client, or a part of the world."""
        self.busy += 1
        task = self.loop.create_task(coroutine, context=self.context.copy())
        task.add_done_callback(self._task_done, context=self.context.copy())

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self.busy -= 1
        if error := task.exception():
            self.defect(f"{type(error).__name__} in the world: {error}")

    async def write(self, events: Sequence[StoredEvent]) -> int:
        """A commit."""
        position = await self.recorder.insert(events)
        self.log.written(events, position)
        self.models.notice()
        return position

    # --- what is watched ----------------------------------------------------------------------------------------------

    def crosses(self, process: Process, what: str, side: str) -> bool:
        """Count a crossing; True where the process dies in it."""
        number = self.crossings
        self.crossings += 1
        if self.trace is not None:
            held = (self.log.head - self.base, self.ledger.changes, self.mailbox.taken)
            self.trace.append((what, side, process.name, *held))
        if self.plan.kills(number):
            self.seen[f"killed {side} {what}"] += 1
            self.kill(process)
        return process.dead

    def require_intent(self, kind: str, transaction_id: str) -> None:
        if transaction_id not in self.log.to_take_back:
            self.defect(f"{kind} of {transaction_id} without a stored intent")

    def note(self, what: str, how: object) -> None:
        self.seen[f"{what}: {how}"] += 1

    def tell(self, *what: object) -> None:
        self.story.append((self.loop.now_s, *what))

    def defect(self, text: str) -> None:
        self.tell("DEFECT", text)
        self.defects.append(text)

    @property
    def quiet(self) -> bool:
        """Nobody waits for anything, and only the reconciler will look again."""
        if self.busy:
            return False
        return all(key[1] is WorkKind.RECONCILE for key in self.models.items)

    # --- running ------------------------------------------------------------------------------------------------------

    def run(self, until_s: float, finished: Callable[[], bool] = lambda: False) -> None:
        """To the end; what still waits then is thrown away."""
        with _seeded_nonces(self.random):
            try:
                self.loop.run(until_s, finished)
            finally:
                self.loop.throw_away()

    def keep_settling(self) -> None:
        """The gateway settles at the end of every period."""
        self.loop.call_at(self.loop.now_s + self.settings.settle_s, self._settle, context=self.context.copy())

    def _settle(self) -> None:
        self.ledger.settle(self.loop.now_s)
        self.keep_settling()

    def errors(self) -> Iterator[str]:
        """What the workers stumbled over."""
        return (error for p in self.processes.values() if (error := p.worker.last_error) is not None)

    def digest(self) -> str:
        """Of every stored byte and every step of the story."""
        digest = sha256()
        for stored in self.log.stored:
            digest.update(f"{stored.originator_id}/{stored.originator_version}/{stored.topic}".encode() + stored.state)
        for step in self.story:
            digest.update(repr(step).encode())
        return digest.hexdigest()


def _resolve(reply: asyncio.Future[Outcome | None], outcome: Outcome | None) -> None:
    if not reply.done():
        reply.set_result(outcome)


@contextmanager
def _seeded_nonces(random: Random) -> Iterator[None]:
    """The one random thing that the log holds, from the seed."""
    with patch("application.personal_data.random_bytes", random.randbytes):
        yield

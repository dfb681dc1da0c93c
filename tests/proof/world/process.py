"""One process of the product: its own handlers, worker and clock, over what all processes share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import TYPE_CHECKING, Any

from application.commands import Outcome, SubmitOrder
from application.corrections import TakeBack
from application.derived_ids import DerivedIds
from application.event_log import CommitUnknown, EventLog, StoreUnavailable
from application.operations import Operations
from application.order_streams import OrderStreams
from application.outbox import SendEmails
from application.pay_and_submit import PayAndSubmit, Ports
from application.reconciler import Reconcile
from application.recovery import RecoverPayment
from application.reversal import Reversal
from application.stored_events import CODEC
from application.work import RENEW_S, Worker, WorkKind
from tests.proof.world.clock import ProcessClock, SeededIds
from tests.proof.world.database import ProcessRecorder
from tests.proof.world.gateway import Gateway
from tests.proof.world.loop import context_of
from tests.proof.world.mailbox import Mailer
from tests.proof.world.work_list import ProcessWorkList

if TYPE_CHECKING:
    from tests.proof.world.world import World

INTERVAL_S = 5.0
EXPECTED_ERRORS = {None, "StoreUnavailable", "CommitUnknown", "Conflict"}


class Process:
    """Lives until it is killed; a restart is another Process of the same name."""

    def __init__(self, world: World, name: str, skew_s: float) -> None:
        self.world = world
        self.name = name
        self.dead = False
        self.frozen_until_s = -1.0
        self.replies: dict[asyncio.Future[Outcome | None], None] = {}  # in order, as a set would not be
        self.clock = ProcessClock(world.loop, skew_s)
        self._context = context_of(self)
        self._build(SeededIds(Random(world.random.getrandbits(64))))

    def _build(self, ids: SeededIds) -> None:
        """As `api/bootstrap.py` does it."""
        world, clock, policy = self.world, self.clock, self.world.policy
        events = EventLog(ProcessRecorder(self), CODEC)
        gateway, mailer, keys = Gateway(self), Mailer(self), MemoryKeys()
        self.derived = derived = DerivedIds(world.secret)
        self.streams = streams = OrderStreams(events, clock)
        reversal = Reversal(gateway, clock, ids, policy)
        take_back = TakeBack(streams, reversal, clock, INTERVAL_S)
        self.operations = Operations(events, streams, gateway, take_back, clock)
        self.handler = PayAndSubmit(
            Ports(
                streams=streams,
                take_back=take_back,
                gateway=gateway,
                mailer=mailer,
                keys=keys,
                derived=derived,
                clock=clock,
                ids=ids,
                policy=policy,
            )
        )
        owner = f"{self.name}-{world.random.getrandbits(32):x}"
        work = ProcessWorkList(self, owner)
        self.worker = Worker(
            work,
            {
                WorkKind.PAYMENT: RecoverPayment(streams, gateway, clock, policy, INTERVAL_S),
                WorkKind.CORRECTION: take_back,
                WorkKind.EMAIL: SendEmails(streams, mailer, keys, derived, clock, policy),
                WorkKind.RECONCILE: Reconcile(
                    events, streams, gateway, work, reversal, take_back, clock, interval_s=world.reconcile_s
                ),
            },
            WorkerClock(self, work),
            owner=owner,
            interval_s=INTERVAL_S,
        )

    def start_work(self) -> None:
        self.spawn(self.worker.run())

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run it as a part of this process: it dies with it."""
        self.world.loop.create_task(coroutine, context=self._context)

    async def serve(self, command: SubmitOrder, reply: asyncio.Future[Outcome | None]) -> None:
        """One HTTP request, from the point where its command is valid."""
        try:
            outcome = await self.handler(command)
        except (StoreUnavailable, CommitUnknown):
            outcome = Outcome(status="application-crash")
        except Exception as error:
            self.world.defect(f"a request failed with {type(error).__name__}: {error}")
            outcome = Outcome(status="application-crash")
        if not reply.done():
            reply.set_result(outcome)

    async def crossing(self, what: str, side: str) -> None:
        """Pass from our code to the world or back. The process may die here."""
        if self.world.crosses(self, what, side):
            await self.world.loop.create_future()  # for ever

    def tell(self, *what: object) -> None:
        self.world.tell(self.name, *what)


class WorkerClock:
    """Time for the worker. Where nothing can be due its short pauses become one long one; the rest is the clock's."""

    def __init__(self, process: Process, work: ProcessWorkList) -> None:
        self._process = process
        self._work = work
        self.now = process.clock.now

    async def sleep(self, seconds: float) -> None:
        models, loop = self._process.world.models, self._process.world.loop
        if seconds == RENEW_S:
            await self._work.until_claimed()
        elif seconds < INTERVAL_S:
            await models.until_due(seconds)
            return
        await loop.sleep(seconds)


class MemoryKeys:
    """One key per client, never destroyed."""

    async def key(self, client_id: int) -> tuple[str, bytes]:
        return f"key-{client_id}", client_id.to_bytes(32)

    async def find(self, key_id: str) -> bytes | None:
        return int(key_id.removeprefix("key-")).to_bytes(32)

    async def destroy(self, client_id: int) -> bool:
        raise AssertionError("nobody is erased here")

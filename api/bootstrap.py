"""The composition root: every part of one process, put together from the settings, started and closed in one place."""

from __future__ import annotations

import asyncio
import os
import socket
from uuid import uuid4

from api.authentication import Authenticator
from api.erasure import person_search
from api.explaining import ExplainOrder
from api.maintaining import Maintaining
from api.overload import BoundedHandler
from api.pay_and_submit.command import CommandBuilder
from api.pay_and_submit.route import PayAndSubmit as PayAndSubmitRoute
from api.read_models import ReadModels, create_read_models
from api.reading.explain import ReadExplanations
from api.reading.notification_actions import NotificationActions
from api.reading.notifications import ReadNotifications
from api.reading.orders import ReadOrders
from api.reading.readers import Readers
from api.reading.reports import ReadReports
from api.seals import SealedLog, Sealing
from api.settings import Settings
from api.turns import Turns
from api.views_database import ViewsDatabase
from api.webhooks.authorizenet import AuthorizeNetWebhook
from api.webhooks.mandrill import MandrillWebhook
from api.work_list import SqlWorkList
from application.adapters.authorizenet.config import AuthorizeNetConfig
from application.adapters.authorizenet.gateway import AuthorizeNetGateway
from application.adapters.directory.cached import CachedDirectory
from application.adapters.directory.generation import Generation, PostgresGeneration, SqliteGeneration
from application.adapters.directory.reads import SqlDirectory
from application.adapters.directory.tables import create_tables as create_directory_tables
from application.adapters.key_store import SqlKeyStore
from application.adapters.key_store import create_tables as create_key_tables
from application.adapters.mandrill import MandrillConfig, MandrillMailer
from application.adapters.person_index import create_tables as create_person_index
from application.adapters.rate_limit import SqlRateLimiter
from application.adapters.rate_limit import create_tables as create_rate_limit_tables
from application.adapters.recorders import is_postgresql, open_recorder, sqlite_path
from application.adapters.recorders.listening import SignallingRecorder, listen
from application.adapters.recorders.migrations import migrate as migrate_events
from application.adapters.seals.tables import create_tables as create_seal_tables
from application.adapters.sql import make_engine
from application.adapters.system import RandomIds, SystemClock
from application.audit.looks import RecordLooks
from application.corrections import TakeBack
from application.derived_ids import DerivedIds
from application.event_log import EventLog
from application.maintenance import MaintenanceLog
from application.operations import Operations
from application.order_reading import OrderReading
from application.order_streams import OrderStreams
from application.outbox import SendEmails
from application.pay_and_submit import PayAndSubmit, Ports
from application.reconciler import Reconcile
from application.recovery import RecoverPayment
from application.reversal import Reversal
from application.stored_events import CODEC
from application.submissions import amount_due
from application.work import Handler, Worker, WorkKind
from domain.policy import Policy

RECONCILE_ROUNDS = 6  # pauses of recovery between two comparisons of the gateway with the log


def policy_of(settings: Settings) -> Policy:
    return Policy(
        duplicate_window_s=settings.duplicate_window_s,
        payment_expiry_s=settings.payment_expiry_s,
        held_expiry_s=settings.held_expiry_s,
        charge_time_s=settings.gateway_deadline_s + 7.0,
    )


class Service:
    """One process of the product. Belongs to one event loop from the first call on; close it there."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.secret_key.get_secret_value().encode()
        owner = f"{socket.gethostname()[:32]}-{os.getpid()}-{uuid4().hex[:8]}"
        self.recorder = SignallingRecorder(open_recorder(settings.database_url))
        self.settings = settings
        self.clock = SystemClock()
        self.derived = DerivedIds(secret)
        self.events = EventLog(self.recorder, CODEC)
        self.streams = OrderStreams(self.events, self.clock)
        self.directory = SqlDirectory(make_engine(settings.database_url), self.derived)
        self.fresh = CachedDirectory(self.directory, _generation(settings))  # for requests
        self.keys = SqlKeyStore(make_engine(settings.key_store_url), secret)
        self.gateway = AuthorizeNetGateway(authorizenet_config(settings))
        self.mailer = MandrillMailer(mandrill_config(settings))
        self.limiter = SqlRateLimiter(make_engine(settings.database_url), settings.rate_limit_in_force)
        self.reading = OrderReading(self.events, self.keys)
        self.looks = RecordLooks(self.events, self.clock)
        self.person_search, self.person_index = person_search(settings, self.events, self.keys)
        self.policy = policy_of(settings)
        self.read_models = ReadModels(settings, self.policy, owner)
        self.views = ViewsDatabase(self.read_models.storage)
        self.projector = self.read_models.projector
        self.maintaining = Maintaining(
            lambda: ReadModels(settings, self.policy, f"{owner}-page"),
            lambda: SealedLog(settings),
            MaintenanceLog(self.events, self.clock),
        )
        self.sealing = Sealing(settings, self.events, self.clock, owner)
        self.recorder.wake = self.wake
        self.work = SqlWorkList(make_engine(settings.views_url))
        interval_s = settings.recovery_interval_s
        self.reversal = Reversal(self.gateway, self.clock, RandomIds(), self.policy)
        self.take_back = TakeBack(self.streams, self.reversal, self.clock, interval_s)
        self.operations = Operations(self.events, self.streams, self.gateway, self.take_back, self.clock)
        self.outbox = SendEmails(self.streams, self.mailer, self.keys, self.derived, self.clock, self.policy)
        self.worker = Worker(
            self.work,
            self._handlers(interval_s),
            self.clock,
            owner=owner,
            interval_s=interval_s,
        )
        self._handler = BoundedHandler(self._pay_and_submit())
        self._tasks: list[asyncio.Task[None]] = []

    # --- routes -------------------------------------------------------------------------------------------------------

    def authenticator(self) -> Authenticator:
        return Authenticator(self.fresh, self.derived, self.limiter)

    @property
    def under_way(self) -> int:
        """How many orders this process is working on."""
        return self._handler.under_way

    def _pay_and_submit(self) -> PayAndSubmit:
        return PayAndSubmit(
            Ports(
                streams=self.streams,
                take_back=self.take_back,
                gateway=self.gateway,
                mailer=self.mailer,
                keys=self.keys,
                derived=self.derived,
                clock=self.clock,
                ids=RandomIds(),
                policy=self.policy,
            )
        )

    def pay_and_submit_route(self) -> PayAndSubmitRoute:
        return PayAndSubmitRoute(
            directory=self.fresh,
            clock=self.clock,
            authenticator=self.authenticator(),
            commands=CommandBuilder(self.fresh, self.reading, amount_due, self.derived),
            submit_order=self._handler,
            render_order=self.read_orders().render,
            turns=Turns(),
        )

    def readers(self) -> Readers:
        return Readers(self.fresh, self.authenticator(), self.clock)

    def read_orders(self) -> ReadOrders:
        return ReadOrders(self.readers(), self.reading, self.views, self.person_search, self.looks)

    def read_explanations(self) -> ReadExplanations:
        return ReadExplanations(self.readers(), ExplainOrder(self))

    def read_notifications(self) -> ReadNotifications:
        return ReadNotifications(self.readers(), self.views)

    def read_reports(self) -> ReadReports:
        return ReadReports(self.readers(), self.views)

    def notification_actions(self) -> NotificationActions:
        return NotificationActions(self.readers(), self.operations)

    def authorizenet_webhook(self) -> AuthorizeNetWebhook:
        key = self.settings.authorizenet_signature_key.get_secret_value()
        return AuthorizeNetWebhook(key, self.gateway, self.views, self.work)

    def mandrill_webhook(self) -> MandrillWebhook:
        key = self.settings.mandrill_webhook_key.get_secret_value()
        return MandrillWebhook(self.settings.mandrill_webhook_url, key, self.streams, self.work, self.clock)

    # --- background work ----------------------------------------------------------------------------------------------

    def _handlers(self, interval_s: float) -> dict[WorkKind, Handler]:
        return {
            WorkKind.PAYMENT: RecoverPayment(self.streams, self.gateway, self.clock, self.policy, interval_s),
            WorkKind.CORRECTION: self.take_back,
            WorkKind.EMAIL: self.outbox,
            WorkKind.RECONCILE: Reconcile(
                self.events,
                self.streams,
                self.gateway,
                self.views,
                self.reversal,
                self.take_back,
                self.clock,
                interval_s=RECONCILE_ROUNDS * interval_s,
                take_orphans_back=self.settings.orphan_charges == "take-back",
            ),
        }

    def start_work(self) -> None:
        """Begin the background work on the running loop."""
        self._tasks.append(asyncio.create_task(self.projector.run(), name="projector"))
        self._tasks.append(asyncio.create_task(self.sealing.sealer.run(), name="sealer"))
        self._tasks.append(asyncio.create_task(self.worker.run(), name="worker"))
        self._tasks.append(asyncio.create_task(self.person_search.run(), name="person-search"))
        if is_postgresql(self.settings.database_url):
            hearing = listen(self.settings.database_url, self.wake)
            self._tasks.append(asyncio.create_task(hearing, name="listener"))

    def wake(self) -> None:
        """There are new events: whoever follows the log looks at once. Only on the event loop."""
        self.projector.wake()
        self.sealing.sealer.wake()

    async def close(self) -> None:
        """Stop the background work and let go of every connection."""
        await self.maintaining.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.gateway.close()
        await self.mailer.close()
        await self.recorder.close()
        await self.fresh.close()
        await self.directory.close()
        await self.keys.close()
        await self.person_index.close()
        await self.read_models.close()
        await self.sealing.close()
        await self.views.close()
        await self.work.close()
        await self.limiter.close()


async def migrate(settings: Settings) -> None:
    """Create every table that is missing, in all databases; several processes may do so at once."""
    await migrate_events(settings.database_url)
    for url, create in (
        (settings.database_url, create_directory_tables),
        (settings.database_url, create_rate_limit_tables),
        (settings.key_store_url, create_key_tables),
        (settings.key_store_url, create_person_index),
        (settings.views_url, create_read_models),
        (settings.seals_url, create_seal_tables),
    ):
        engine = make_engine(url)
        try:
            await asyncio.to_thread(create, engine)
        finally:
            engine.dispose()


def _generation(settings: Settings) -> Generation:
    if is_postgresql(settings.database_url):
        return PostgresGeneration(settings.database_url)
    return SqliteGeneration(sqlite_path(settings.database_url))


def authorizenet_config(settings: Settings) -> AuthorizeNetConfig:
    return AuthorizeNetConfig(
        url=settings.authorizenet_url,
        login_id=settings.authorizenet_login_id.get_secret_value(),
        transaction_key=settings.authorizenet_transaction_key.get_secret_value(),
        deadline_s=settings.gateway_deadline_s,
    )


def mandrill_config(settings: Settings) -> MandrillConfig:
    return MandrillConfig(
        url=settings.mandrill_url,
        api_key=settings.mandrill_api_key.get_secret_value(),
        email_from=settings.email_from,
    )

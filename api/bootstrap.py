"""The composition root: every part of one process, put together from the settings, started and closed in one place."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from api.authentication import Authenticator
from api.overload import BoundedHandler
from api.pay_and_submit.command import CommandBuilder
from api.pay_and_submit.route import PayAndSubmit as PayAndSubmitRoute
from api.reading.notifications import ReadNotifications
from api.reading.orders import ReadOrders
from api.reading.readers import Readers
from api.settings import Settings
from api.views_database import ViewsDatabase
from application.adapters.authorizenet.config import AuthorizeNetConfig
from application.adapters.authorizenet.gateway import AuthorizeNetGateway
from application.adapters.directory.reads import SqlDirectory
from application.adapters.directory.tables import create_tables as create_directory_tables
from application.adapters.key_store import SqlKeyStore
from application.adapters.key_store import create_tables as create_key_tables
from application.adapters.mandrill import MandrillConfig, MandrillMailer
from application.adapters.rate_limit import SqlRateLimiter
from application.adapters.rate_limit import create_tables as create_rate_limit_tables
from application.adapters.recorders import open_recorder
from application.adapters.recorders.migrations import migrate as migrate_events
from application.adapters.sql import make_engine
from application.adapters.system import RandomIds, SystemClock
from application.derived_ids import DerivedIds
from application.event_log import EventLog
from application.order_reading import OrderReading
from application.order_streams import OrderStreams
from application.pay_and_submit import PayAndSubmit, Ports
from application.stored_events import CODEC
from application.submissions import amount_due
from domain.policy import Policy
from projections.catch_up import Projector, Recorded
from projections.catch_up import create_tables as create_view_tables
from projections.notifications import Notifications
from projections.orders import Orders

READ_MODELS = (Orders(), Notifications())


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
        views_engine = make_engine(settings.views_url)
        self.settings = settings
        self.clock = SystemClock()
        self.derived = DerivedIds(secret)
        self.events = EventLog(open_recorder(settings.database_url), CODEC)
        self.streams = OrderStreams(self.events, self.clock)
        self.directory = SqlDirectory(make_engine(settings.database_url), self.derived)
        self.keys = SqlKeyStore(make_engine(settings.key_store_url), secret)
        self.gateway = AuthorizeNetGateway(_authorizenet(settings))
        self.mailer = MandrillMailer(_mandrill(settings))
        self.limiter = SqlRateLimiter(make_engine(settings.database_url), settings.rate_limit_in_force)
        self.views = ViewsDatabase(views_engine)
        self.reading = OrderReading(self.events, self.keys)
        self.projector = Projector(views_engine, READ_MODELS, self._events_after, asyncio.to_thread)
        self._handler = BoundedHandler(self._pay_and_submit())
        self._tasks: list[asyncio.Task[None]] = []

    # --- routes -------------------------------------------------------------------------------------------------------

    def authenticator(self) -> Authenticator:
        return Authenticator(self.directory, self.derived, self.limiter)

    @property
    def under_way(self) -> int:
        """How many orders this process is working on."""
        return self._handler.under_way

    def _pay_and_submit(self) -> PayAndSubmit:
        return PayAndSubmit(
            Ports(
                streams=self.streams,
                gateway=self.gateway,
                mailer=self.mailer,
                keys=self.keys,
                derived=self.derived,
                clock=self.clock,
                ids=RandomIds(),
                policy=policy_of(self.settings),
            )
        )

    def pay_and_submit_route(self) -> PayAndSubmitRoute:
        return PayAndSubmitRoute(
            directory=self.directory,
            clock=self.clock,
            authenticator=self.authenticator(),
            commands=CommandBuilder(self.directory, self.reading, amount_due, self.derived),
            submit_order=self._handler,
            render_order=self.read_orders().render,
        )

    def readers(self) -> Readers:
        return Readers(self.directory, self.authenticator(), self.clock)

    def read_orders(self) -> ReadOrders:
        return ReadOrders(self.readers(), self.reading, self.views)

    def read_notifications(self) -> ReadNotifications:
        return ReadNotifications(self.readers(), self.views)

    # --- background work ----------------------------------------------------------------------------------------------

    def start_work(self) -> None:
        """Begin the background work on the running loop."""
        self._tasks.append(asyncio.create_task(self.projector.run(), name="projector"))

    async def close(self) -> None:
        """Stop the background work and let go of every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.gateway.close()
        await self.mailer.close()
        await self.events.recorder.close()
        await self.directory.close()
        await self.keys.close()
        await self.views.close()
        await self.limiter.close()

    async def _events_after(self, after: int, limit: int) -> Sequence[Recorded]:
        stored = await self.events.recorder.notifications(after + 1, limit)
        return [Recorded(notification.id, CODEC.decode(notification)) for notification in stored]


async def migrate(settings: Settings) -> None:
    """Create every table that is missing, in all databases; several processes may do so at once."""
    await migrate_events(settings.database_url)
    for url, create in (
        (settings.database_url, create_directory_tables),
        (settings.database_url, create_rate_limit_tables),
        (settings.key_store_url, create_key_tables),
        (settings.views_url, create_view_tables),
    ):
        engine = make_engine(url)
        try:
            await asyncio.to_thread(create, engine)
        finally:
            engine.dispose()


def _authorizenet(settings: Settings) -> AuthorizeNetConfig:
    return AuthorizeNetConfig(
        url=settings.authorizenet_url,
        login_id=settings.authorizenet_login_id.get_secret_value(),
        transaction_key=settings.authorizenet_transaction_key.get_secret_value(),
        deadline_s=settings.gateway_deadline_s,
    )


def _mandrill(settings: Settings) -> MandrillConfig:
    return MandrillConfig(
        url=settings.mandrill_url,
        api_key=settings.mandrill_api_key.get_secret_value(),
        email_from=settings.email_from,
    )

"""The read models of the product, and the parts of a process that keep them from the log."""

from __future__ import annotations

import hashlib
import sqlite3
from importlib import metadata

import sqlalchemy as sa

from api.settings import Settings
from application.adapters.sql import make_engine
from application.stored_events import CODEC
from domain.policy import Policy
from domain.stream import topics_of
from projections import open_work, topics
from projections.conversion import Conversion
from projections.dead_letters import DeadLetters
from projections.directory_changes import DirectoryChanges
from projections.email_deliveries import EmailDeliveries
from projections.following import Following
from projections.ledger.model import Ledger
from projections.log import LogReader
from projections.model import ReadModel
from projections.notifications import Notifications
from projections.open_work import WORK, OpenWork
from projections.orders import Orders
from projections.payments import Payments
from projections.projector import Projector, lease_name
from projections.promotions import Promotions
from projections.rebuilding import Rebuilder
from projections.registry import RebuildNeeded, ensure, read_registry
from projections.revenue import Revenue
from projections.settlement_breaks import SettlementBreaks
from projections.status import Status, read_status
from projections.storage import Storage

ORDERS, PAYMENTS, PROMOTIONS, EMAIL_DELIVERIES = Orders(), Payments(), Promotions(), EmailDeliveries()
NOTIFICATIONS, REVENUE, CONVERSION, DIRECTORY_CHANGES = Notifications(), Revenue(), Conversion(), DirectoryChanges()
LEDGER, SETTLEMENT_BREAKS = Ledger(), SettlementBreaks()
MODELS: tuple[ReadModel, ...] = (
    ORDERS,
    PAYMENTS,
    PROMOTIONS,
    EMAIL_DELIVERIES,
    NOTIFICATIONS,
    REVENUE,
    CONVERSION,
    DIRECTORY_CHANGES,
    LEDGER,
    SETTLEMENT_BREAKS,
)
LEASE = lease_name("".join(model.shape_digest for model in MODELS))


def model_named(name: str) -> ReadModel | None:
    return next((model for model in MODELS if model.name == name), None)


def code_version() -> str:
    """The product's version, and a digest of the topics that it knows."""
    known = hashlib.sha256("\n".join(sorted(CODEC.topics)).encode()).hexdigest()[:8]
    return f"{metadata.version('pay-and-submit')}+topics.{known}"


def open_log(engine: sa.Engine) -> LogReader:
    """The log of the database, for all read models."""
    wanted = frozenset[str]().union(*(model.topics for model in MODELS), topics_of(WORK))
    return LogReader(engine, CODEC.readers, wanted)


class ReadModels:
    """What one process needs to keep, rebuild and watch the read models."""

    def __init__(self, settings: Settings, policy: Policy, owner: str) -> None:
        self.storage = Storage(make_engine(settings.views_url), open_generation)
        self._log_engine = make_engine(settings.database_url)
        self.log = open_log(self._log_engine)
        self.following = Following(self.storage, MODELS, [OpenWork(policy)], self.log)
        self.projector = Projector(self.storage, self.following, lease=LEASE, owner=owner)
        self.rebuilder = Rebuilder(self.storage, self.log, owner)
        self.dead_letters = DeadLetters(self.storage, MODELS, self.log)

    def status(self) -> Status:
        """Blocks. Raises SQLAlchemyError."""
        return read_status(self.storage, MODELS, [OpenWork.place], self.log, LEASE)

    def follow_if_nobody_does(self) -> None:
        """Bring the views to the end of the log, for commands in a place where nothing else runs. Blocks."""
        if self.status().leader.stale:
            while self.following.round():
                pass

    async def close(self) -> None:
        await self.projector.close()
        self._log_engine.dispose()


def create_read_models(control: sa.Engine) -> None:
    """Make what is missing, and leave word of the topics that this version knows."""
    storage = Storage(control, open_generation)
    ensure(storage, MODELS, [OpenWork.place])
    with control.execution_options(immediate=True).begin() as connection:
        open_work.standing(connection)
        topics.register(connection, CODEC.topics, code_version())
    storage.forget(())


def require_readable(settings: Settings) -> None:
    """Raise UnknownTopics where the log is known to hold what this version cannot read, and RebuildNeeded where no
    generation of a read model has the tables that it expects."""
    control = make_engine(settings.views_url)
    try:
        with control.connect() as connection:
            topics.require_known(connection, CODEC.topics)
            registry = read_registry(connection)
    finally:
        control.dispose()
    for model in MODELS:
        if registry[model.name].served(model) is None:
            raise RebuildNeeded(model.name)


def open_generation(url: sa.URL) -> sa.Engine:
    """A generation's file can be made again from the log, so its commits need not wait for the disk."""
    engine = make_engine(url.render_as_string(hide_password=False))
    sa.event.listen(engine, "connect", _relaxed)
    return engine


def _relaxed(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = OFF")  # nothing personal is in there

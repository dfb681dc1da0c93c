"""Who reads: the token's owner, in the role that decides what it may see."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from api.authentication import (
    Actor,
    Authenticated,
    Authenticator,
    acting_as,
    application_asked,
    require_ordering_role,
)
from api.errors import invalid
from application.ports import Clock, Directory

READ_ORDERS = "orders.read"
REPORT_ROLES = frozenset({"employee", "finance", "reporting", "operations"})
EXPLAIN_ROLES = frozenset({"employee", "liaison"})


@dataclass(frozen=True)
class ExplainReader:
    """A reader of explanations. `sees_internals`: operators by name, their words, the books, notifications."""

    order_reader: Actor | None  # None: sees all orders
    sees_internals: bool

    def may_see(self, client_id: int) -> bool:
        return self.order_reader is None or may_see(self.order_reader, client_id)


@dataclass(frozen=True)
class Readers:
    """Identifies readers; one per process."""

    directory: Directory
    authenticator: Authenticator
    clock: Clock

    async def order_reader(self, request: Request) -> Actor:
        """A reader of orders, by the Bearer token. Raises ApiError as pay_and_submit does."""
        return await self._order_reader(request, await self._sender(request))

    async def explain_reader(self, request: Request) -> ExplainReader:
        """Whoever may read orders, and finance, reporting and operations. Raises ApiError as `order_reader`."""
        sender = await self._sender(request)
        if REPORT_ROLES.intersection(sender.roles):
            return ExplainReader(None, sees_internals=True)
        reader = await self._order_reader(request, sender)
        return ExplainReader(reader, sees_internals=reader.requester.role in EXPLAIN_ROLES)

    async def _order_reader(self, request: Request, sender: Authenticated) -> Actor:
        require_ordering_role(sender)
        slug = request.query_params.get("application")
        return acting_as(sender, await application_asked(self.directory, sender, slug), READ_ORDERS)

    async def report_reader(self, request: Request) -> Authenticated:
        """A reader of notifications and reports: an employee, or somebody in finance, reporting or operations."""
        sender = await self._sender(request)
        if not REPORT_ROLES.intersection(sender.roles):
            raise invalid("application", "role-missing")
        return sender

    async def _sender(self, request: Request) -> Authenticated:
        now = self.clock.now()
        sender = await self.authenticator.authenticate(request, {}, now)
        await self.authenticator.hold_to_limit(sender, now)
        return sender


def may_see(reader: Actor, client_id: int) -> bool:
    """A client sees its own orders; employees, liaisons and applications see all."""
    return reader.sees_all_clients or client_id in reader.client_ids

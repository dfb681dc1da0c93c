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


@dataclass(frozen=True)
class Readers:
    """Identifies readers; one per process."""

    directory: Directory
    authenticator: Authenticator
    clock: Clock

    async def order_reader(self, request: Request) -> Actor:
        """A reader of orders, by the Bearer token. Raises ApiError as pay_and_submit does."""
        sender = await self._sender(request)
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

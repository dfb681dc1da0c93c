"""The people and the property of one order, for those who may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from api.errors import request_id_of
from api.pages.failures import PageError, forbidden
from api.pages.shell import viewer_in
from api.pages.visits import PATH
from application.audit.looks import Look, RecordLooks, Viewer
from application.derived_ids import ADDRESS_FIELDS, DerivedIds
from application.personal_data import SealBroken
from application.ports import KeyStore
from application.submissions import open_personal
from domain.order import Order


@dataclass(frozen=True)
class OrderPeople:
    """`hidden`: the viewer's role does not see them; `erased`: nobody can any more; `broken`: it does not open,
    which the audit of the log explains."""

    hidden: bool = False
    erased: bool = False
    broken: bool = False
    client_name: str | None = None
    address: str | None = None
    property_id: str | None = None
    recipients: tuple[tuple[str, str], ...] = ()  # email_id, address

    def recipient(self, email_id: str) -> str | None:
        return dict(self.recipients).get(email_id)


@dataclass(frozen=True)
class PeopleOf:
    """One per process."""

    keys: KeyStore
    derived: DerivedIds
    looks: RecordLooks

    async def of(self, request: Request, order: Order) -> OrderPeople:
        """Whose order it is, for which property, and who gets the confirmation."""
        if not viewer_in(request).sees_personal_data:
            return OrderPeople(hidden=True)
        try:
            personal = await open_personal(self.keys, order)
        except SealBroken:
            return OrderPeople(broken=True)
        if personal is None:
            return OrderPeople(erased=True)
        await self._record(request, order, ("client.name", "recipients", "property"))
        info = personal.get("property_info") or {}
        return OrderPeople(
            client_name=personal.get("client_name"),
            address=_one_line(info.get("address") or {}),
            property_id=info.get("property_id"),
            recipients=tuple(
                (self.derived.email_id(order.id, address), address) for address in personal.get("recipients") or ()
            ),
        )

    async def erased(self, order: Order) -> bool:
        """Nobody can read, or be written to, any more. Shows nothing, so it is no look."""
        assert order.requested is not None
        return await self.keys.find(order.requested.personal.key_id) is None

    async def all_of(self, request: Request, order: Order) -> Mapping[str, Any] | None:
        """Everything personal; None once the person has been erased. Raises PageError for other roles."""
        if not viewer_in(request).sees_personal_data:
            raise forbidden()
        try:
            personal = await open_personal(self.keys, order)
        except SealBroken:
            raise PageError(500, "It does not open", "The personal data of this order cannot be decrypted.") from None
        if personal is not None:
            await self._record(request, order, tuple(name for name, value in personal.items() if value))
        return personal

    async def _record(self, request: Request, order: Order, fields: tuple[str, ...]) -> None:
        """Before anything is shown. What cannot be recorded is not shown: raises StoreUnavailable and CommitUnknown."""
        assert order.requested is not None
        who = Viewer(viewer_in(request).actor, request_id_of(request), f"GET {PATH}/orders/{{id}}")
        await self.looks(who, [Look(order.id, order.requested.client_id, fields)])


def _one_line(address: Mapping[str, Any]) -> str | None:
    return ", ".join(str(address[name]) for name in ADDRESS_FIELDS if address.get(name)) or None

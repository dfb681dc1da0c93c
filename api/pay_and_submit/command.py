"""From a body and its sender to the command of the process manager: everything in it is checked here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from pydantic import BaseModel

from api.authentication import Actor, Authenticated, acting_as
from api.errors import invalid, missing
from api.pay_and_submit.catalog import Asked, asked_of, ordered_services, require_what_services_need
from api.pay_and_submit.params import PayAndSubmitParams
from api.pay_and_submit.ports import AmountDue, PreviousOrders, RequestDigest
from api.pay_and_submit.reading import Reading, read_params
from application.commands import SubmitOrder
from application.ports import ApplicationRecord, ClientRecord, Directory, OrderInputs, PaymentMethodRecord

PERMISSION = "orders.pay_and_submit"

_NOT_IN_DIGEST = frozenset({"token", "view", "session_view", "application_view"})
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Submission(msgspec.Struct, frozen=True):
    """One decoded request of one authenticated sender."""

    request_id: str
    now: datetime
    raw: Mapping[str, Any]
    sender: Authenticated
    application: ApplicationRecord | None  # None where the one asked for cannot be right
    idempotency_keys: Sequence[str]  # the values of the header, as many as came


class Valid(msgspec.Struct, frozen=True):
    """The command, in which role it was given, and the view of the order that is asked for."""

    command: SubmitOrder
    actor: Actor
    view: str


@dataclass(frozen=True)
class CommandBuilder:
    """Validates against the directory; one per process."""

    directory: Directory
    previous_orders: PreviousOrders
    amount_due: AmountDue
    digests: RequestDigest

    async def build(self, submission: Submission) -> Valid:
        """Everything that is missing is reported before anything that is invalid.

        Raises ApiError missing-param or invalid-param.
        """
        reading, asked = read_params(submission.raw), asked_of(submission.raw)
        inputs = await self._require_all(submission, reading, asked)
        if reading.invalid is not None:
            raise invalid(reading.invalid.param, reading.invalid.detail)
        assert reading.params is not None
        return await self._command(submission, reading.params, asked, inputs)

    async def _command(
        self, submission: Submission, params: PayAndSubmitParams, asked: Asked, inputs: OrderInputs
    ) -> Valid:
        actor = acting_as(submission.sender, submission.application, PERMISSION)
        client = _client(asked, inputs, actor)
        services = await ordered_services(params.order, inputs, client.id, self.previous_orders)
        method = _payment_method(params.payment_method_id, inputs, client)
        designation = actor.requester.designation
        if method is None and self.amount_due(services, inputs.promotion, designation, submission.now) > 0:
            raise missing("payment_method_id")
        access, order = params.order.property_access, params.order
        command = SubmitOrder(
            request_id=submission.request_id,
            requester=actor.requester,
            client=client,
            services=services,
            catalog_version=inputs.catalog_version,
            property_info=_plain(order.property_info),
            property_access=_plain(access) if access else None,
            appointments=tuple(_plain(appointment) for appointment in order.appointments or ()),
            notes=order.notes,
            metadata=order.metadata or {},
            promotion_code=params.promotion_code,
            promotion=inputs.promotion,
            payment_method=method,
            idempotency_key=_idempotency_key(submission.idempotency_keys),
            request_digest=self.digests.request_digest(canonical(submission.raw)),
        )
        return Valid(command, actor, params.view or "default")

    async def _require_all(self, submission: Submission, reading: Reading, asked: Asked) -> OrderInputs:
        """Raise ApiError missing-param for what is not there; read what the directory knows on the way."""
        if reading.missing is not None:
            raise missing(reading.missing)
        own_ids = submission.sender.client_ids
        order = submission.raw["order"]
        if not own_ids and isinstance(order, dict) and not order.get("client"):
            raise missing("order.client.id" if "client" in order else "order.client")
        inputs = await self.directory.order_inputs(
            client_id=asked.client_id or next(iter(own_ids), 0),  # 0 is no client
            payment_method_id=asked.payment_method_id,
            slugs=asked.slugs,
            promotion_code=asked.promotion_code,
        )
        require_what_services_need(asked, inputs.services)
        return inputs


def _client(asked: Asked, inputs: OrderInputs, actor: Actor) -> ClientRecord:
    """A foreign client and an unknown one are refused alike."""
    client = inputs.client
    if client is None or not (actor.sees_all_clients or client.id in actor.client_ids):
        raise invalid("order.client.id" if asked.client_id else "order.client")
    return client


def _payment_method(asked_id: int | None, inputs: OrderInputs, client: ClientRecord) -> PaymentMethodRecord | None:
    """The active method asked for, else the active default. Unknown, foreign and inactive are refused alike."""
    method = inputs.payment_method
    usable = method is not None and method.active and method.client_id == client.id
    if asked_id is None:
        return method if usable else None
    if method is None or not usable or method.id != asked_id:
        raise invalid("payment_method_id")
    return method


def _idempotency_key(values: Sequence[str]) -> str | None:
    if not values:
        return None
    if len(values) > 1 or not _IDEMPOTENCY_KEY.fullmatch(values[0]):
        raise invalid("Idempotency-Key")
    return values[0]


def _plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(exclude_none=True)


def canonical(raw: Mapping[str, Any]) -> bytes:
    """The body without what may differ between two tries of the same thing: token and views."""
    body = {key: value for key, value in raw.items() if key not in _NOT_IN_DIGEST}
    return msgspec.json.encode(body, order="sorted")

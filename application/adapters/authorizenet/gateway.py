"""The port PaymentGateway, spoken to Authorize.net."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import pyxb

from application.adapters.authorizenet import lookups
from application.adapters.authorizenet.answers import Answer
from application.adapters.authorizenet.charge_template import charge_bytes
from application.adapters.authorizenet.config import AuthorizeNetConfig
from application.adapters.authorizenet.interpretation import charge_outcome, correction_outcome
from application.adapters.authorizenet.requests import Requests
from application.adapters.authorizenet.search import Search
from application.adapters.authorizenet.transport import Transport
from application.ports import (
    ChargeOutcome,
    ChargeRequest,
    CorrectionOutcome,
    LookupFailed,
    NotSent,
    OutcomeUnknown,
    SettledBatch,
    TransactionDetails,
    TransactionSummary,
)

_log = logging.getLogger(__name__)

_INVALID: Final = (ValueError, pyxb.PyXBException)  # what the schema does not take


def _utc_now() -> datetime:
    return datetime.now(UTC)


class AuthorizeNetGateway:
    """One merchant account at Authorize.net. Belongs to the event loop of its first call; close it there.

    Follows https://developer.authorize.net/api/reference/. Nothing it sends or receives is logged.
    """

    def __init__(self, config: AuthorizeNetConfig, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._config = config
        self._requests = Requests(config.login_id, config.transaction_key)
        self._transport = Transport(config)
        self._search = Search(self._ask, self._requests, now)

    def __repr__(self) -> str:
        return f"AuthorizeNetGateway({self._config.url!r})"

    async def close(self) -> None:
        await self._transport.close()

    async def charge(self, request: ChargeRequest) -> ChargeOutcome:
        config = self._config
        try:
            written = charge_bytes(config.login_id, config.transaction_key, request)
        except _INVALID:
            body: bytes | NotSent | OutcomeUnknown = NotSent("invalid-request")
        else:
            body = await self._transport.post(written, config.deadline_s)
        outcome = charge_outcome(body, request.invoice_number) if isinstance(body, bytes) else body
        if isinstance(outcome, NotSent | OutcomeUnknown):
            _log.warning("charge %s: %s, %s", request.invoice_number, type(outcome).__name__, outcome.reason)
        return outcome

    async def find_by_invoice(
        self, invoice_number: str, *, customer_profile_id: str | None, since: datetime
    ) -> list[TransactionSummary]:
        return await self._search.by_invoice(invoice_number, customer_profile_id, since)

    async def details(self, transaction_id: str) -> TransactionDetails | None:
        try:
            answer = await self._ask(lambda: self._requests.details(transaction_id), "getTransactionDetailsResponse")
        except LookupFailed as failure:
            if failure.reason == "not-found":
                return None
            raise
        return lookups.details(answer, transaction_id)

    async def unsettled(self) -> list[TransactionSummary]:
        return await self._search.unsettled()

    async def settled_batches(self, first: datetime, last: datetime) -> list[SettledBatch]:
        return await self._search.settled_batches(first, last)

    async def batch_transactions(self, batch_id: str) -> list[TransactionSummary]:
        return await self._search.of_batch(batch_id)

    async def void(self, transaction_id: str) -> CorrectionOutcome:
        body = await self._send(lambda: self._requests.void(transaction_id), self._config.deadline_s)
        return correction_outcome(body, transaction_id, ref_id=transaction_id) if isinstance(body, bytes) else body

    async def refund(
        self, transaction_id: str, amount_cents: int, last4: str, invoice_number: str
    ) -> CorrectionOutcome:
        def build() -> bytes:
            return self._requests.refund(transaction_id, amount_cents, last4, invoice_number)

        body = await self._send(build, self._config.deadline_s)
        return correction_outcome(body, transaction_id, ref_id=invoice_number) if isinstance(body, bytes) else body

    async def decline_held(self, transaction_id: str) -> CorrectionOutcome:
        body = await self._send(lambda: self._requests.decline_held(transaction_id), self._config.deadline_s)
        if not isinstance(body, bytes):
            return body
        return correction_outcome(body, transaction_id, ref_id=transaction_id, no_is_done=True)

    async def check_keys(self) -> bool:
        try:
            await self._ask(self._requests.check_keys, "authenticateTestResponse")
        except LookupFailed as failure:
            if failure.reason == "keys-refused":
                return False
            raise
        return True

    async def _send(self, build: Callable[[], bytes], deadline_s: float) -> bytes | NotSent | OutcomeUnknown:
        """Build and post. What the schema does not take is never sent; the error names a value, so it is not kept."""
        try:
            request = build()
        except _INVALID:
            return NotSent("invalid-request")
        return await self._transport.post(request, deadline_s)

    async def _ask(self, build: Callable[[], bytes], root: str) -> Answer:
        body = await self._send(build, self._config.lookup_timeout_s)
        if isinstance(body, bytes):
            return lookups.successful(body, root)
        raise LookupFailed("busy" if body.reason == "http-5xx" else body.reason)

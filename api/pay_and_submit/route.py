"""The route itself: the checks in their documented order, the command, the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import Authenticated, Authenticator, application_asked, require_ordering_role
from api.decoding import decode_params, header_values
from api.envelope import Envelope
from api.errors import request_id_of, show, shown
from api.http_app import HttpApp
from api.identification import identify_route
from api.pay_and_submit.command import CommandBuilder, Submission, Valid
from api.pay_and_submit.ports import RenderOrder, SubmitOrderHandler
from api.turns import Turns
from api.views.application import APPLICATION_VIEWS
from api.views.session import SESSION_VIEWS
from application.commands import Outcome
from application.order_view import order_view
from application.ports import ApplicationRecord, Clock, Directory

METHOD = "POST"
PATH = "/api/v1/orders/pay_and_submit"


@dataclass(frozen=True)
class PayAndSubmit:
    """The parts of the route; one per process."""

    directory: Directory
    clock: Clock
    authenticator: Authenticator
    commands: CommandBuilder
    submit_order: SubmitOrderHandler
    render_order: RenderOrder
    turns: Turns

    async def __call__(self, request: Request) -> Response:
        """Check in the order of the contract; the first check that fails answers (as ApiError)."""
        record = await identify_route(self.directory, METHOD, PATH)
        raw = await decode_params(request, sensitive_params=record.sensitive_params)
        turn = await self.turns.take()
        try:
            valid = await self._valid(request, raw)
            outcome = await self.submit_order(valid.command, turn.end)
        finally:
            turn.end()
        return await self._answer(request, valid, outcome)

    async def _valid(self, request: Request, raw: Mapping[str, Any]) -> Valid:
        now = self.clock.now()
        sender = await self.authenticator.authenticate(request, raw, now)
        require_ordering_role(sender, raw.get("session_view"))
        await self.authenticator.hold_to_limit(sender, now)
        application = await application_asked(self.directory, sender, raw.get("application"))
        _show_views(request, raw, sender, application)
        idempotency_keys = header_values(request, b"idempotency-key")
        submission = Submission(request_id_of(request), now, raw, sender, application, idempotency_keys)
        return await self.commands.build(submission)

    async def _answer(self, request: Request, valid: Valid, outcome: Outcome) -> Response:
        data: dict[str, Any] = {}
        if outcome.order is not None:
            data["order"] = order_view(outcome.order, outcome.personal, valid.view)
        elif outcome.order_id is not None:
            order = await self.render_order(outcome.order_id, valid.view, valid.actor)
            data = {} if order is None else {"order": order}
        if outcome.position is not None:
            data["position"] = outcome.position
        envelope = Envelope(
            outcome.status,
            request_id_of(request),
            data=data or None,
            param=outcome.param,
            detail=outcome.detail,
            gateway=outcome.gateway,
            retry_after_seconds=outcome.retry_after_seconds,
            shown=shown(request),
        )
        return envelope.response({"Idempotency-Replayed": "true"} if outcome.replayed else None)


def _show_views(
    request: Request, raw: Mapping[str, Any], sender: Authenticated, application: ApplicationRecord | None
) -> None:
    """Answers carry what is asked for by a known view. An application's token has no session, so it shows as null."""
    session_view, application_view = raw.get("session_view"), raw.get("application_view")
    if isinstance(session_view, str) and (session := SESSION_VIEWS.get(session_view)):
        show(request, session=session(sender.session) if sender.session else None)
    if application and isinstance(application_view, str) and (view := APPLICATION_VIEWS.get(application_view)):
        show(request, application=view(application))


def add_pay_and_submit(app: HttpApp, route: PayAndSubmit) -> None:
    """Its parameters are read from the raw body, so `api/openapi.py` describes them."""
    app.add_direct_route(
        METHOD,
        PATH,
        route.__call__,
        name="pay_and_submit",
        operation_id="pay_and_submit",
        summary="Pay for an order and submit it",
    )

"""A small world: a directory of plain records, a clock that stands still, and the route around them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI

from api.authentication import Actor, Authenticator
from api.docs import docs_router
from api.http_app import HttpApp
from api.openapi import describe
from api.pay_and_submit.command import CommandBuilder
from api.pay_and_submit.route import PATH, PayAndSubmit, add_pay_and_submit
from api.turns import Turns
from application.commands import OrderedService, Outcome, SubmitOrder
from application.derived_ids import DerivedIds
from application.ports import (
    ApplicationRecord,
    ClientRecord,
    DirectoryUnavailable,
    OrderInputs,
    PaymentMethodRecord,
    PromotionRecord,
    Role,
    RouteRecord,
    ServiceRecord,
    SessionRecord,
    UserRecord,
)
from tests.api.serving import Answered, send

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
ADA, ED, NORA, PLANOORDER, PLANOX2 = "tok-ada", "tok-ed", "tok-nora", "tok-planoorder", "tok-planox2"
ORDER_ID = UUID("0198f0aa-0000-7000-8000-000000000001")
IDS = DerivedIds(b"a secret key that tests alone use, 0123456789")


def service(slug: str, kind: str, prices: dict[int, int], **changes: Any) -> ServiceRecord:
    facts: dict[str, Any] = {"group_id": 1, "access_required": False, "previous_order_required": False, **changes}
    return ServiceRecord(slug=slug, name=slug, kind=kind, prices_cents=prices, **facts)


def user(user_id: int, *roles: Role) -> UserRecord:
    return UserRecord(user_id, f"user{user_id}@example.com", "First", "Last", "agent", roles)


@dataclass
class World:
    """What the server knows, and what it did. Tests change it before they ask."""

    route: RouteRecord | None = field(default_factory=lambda: RouteRecord(True, True, False))
    directory_fails: bool = False
    sessions: dict[str, SessionRecord] = field(default_factory=dict)
    applications: dict[str, ApplicationRecord] = field(default_factory=dict)
    clients: dict[int, ClientRecord] = field(default_factory=dict)
    methods: dict[int, PaymentMethodRecord] = field(default_factory=dict)
    services: dict[str, ServiceRecord] = field(default_factory=dict)
    promotions: dict[str, PromotionRecord] = field(default_factory=dict)
    wait_s: dict[str, int] = field(default_factory=dict)  # rate limit key, or its beginning → seconds
    amount_due_cents: int = 18500
    previous_orders: set[tuple[UUID, int]] = field(default_factory=set)
    outcome: Outcome | Exception = field(default_factory=lambda: Outcome("action-successful", ORDER_ID, position=7))
    commands: list[SubmitOrder] = field(default_factory=list)
    touched: list[datetime] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    rendered: list[tuple[str, Actor]] = field(default_factory=list)
    turns: Turns = field(default_factory=lambda: Turns(at_once=1, max_wait_s=60.0))  # one that is not ended is noticed

    def reset(self) -> None:
        """The world as every test finds it: three users, two clients, three cards, four services."""
        self.__dict__.update(World().__dict__)
        self.sign_in(ADA, user(1, Role("client", 11)))
        self.sign_in(ED, user(2, Role("employee")))
        self.sign_in(NORA, user(3), remember_me=True)
        permissions = ("orders.pay_and_submit", "orders.read")
        self.applications = {
            "planoauth": ApplicationRecord("planoauth", "PlanoAuth", (), ()),
            "planoorder": ApplicationRecord("planoorder", "PlanoOrder", ("client", "employee", "liaison"), permissions),
            "planox2": ApplicationRecord("planox2", "PlanoX2", ("client", "employee"), permissions),
        }
        self.clients = {n: ClientRecord(n, f"Client {n}", f"c{n}@example.com", ()) for n in (11, 12)}
        card = PaymentMethodRecord(101, 11, "900000001", "800000001", "Visa", "1111", 12, 2031, True, True)
        self.methods = {
            101: card,
            102: replace(card, id=102, default=False, active=False),
            201: replace(card, id=201, client_id=12),
        }
        offered = (
            service("photos", "primary", {10: 15000, 15: 18500}, access_required=True),
            service("exterior_photos", "primary", {1: 5000}),
            service("twilight", "add_on", {1: 12500}),
            service("ai_virtual_staging", "add_on", {1: 4000}, previous_order_required=True),
        )
        self.services = {record.slug: record for record in offered}

    def sign_in(self, token: str, who: UserRecord, **changes: Any) -> None:
        used = {"created_at": NOW - timedelta(hours=1), "last_used_at": NOW, "remember_me": False, **changes}
        self.sessions[IDS.token_hash(token)] = SessionRecord(IDS.token_hash(token), who, **used)

    # --- the clock, the limiter and the ports of the route --------------------------------------------------------

    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits here")

    async def check(self, key: str, now: datetime) -> int | None:
        self.counted.append(key)
        return self.wait_s.get(key.split(":")[0])

    async def exists(self, order_id: UUID, client_id: int) -> bool:
        return (order_id, client_id) in self.previous_orders

    def amount_due(
        self,
        services: tuple[OrderedService, ...],
        promotion: PromotionRecord | None,
        designation: str | None,
        now: datetime,
    ) -> int:
        return self.amount_due_cents

    async def submit_order(self, command: SubmitOrder, intent_stored: Callable[[], None]) -> Outcome:
        self.commands.append(command)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def render_order(self, order_id: UUID, view: str, reader: Actor) -> Mapping[str, Any] | None:
        self.rendered.append((view, reader))
        return {"id": str(order_id)}


@dataclass
class RecordsDirectory:
    """The Directory port over the records of a world."""

    world: World

    async def route(self, method: str, path: str) -> RouteRecord | None:
        if self.world.directory_fails:
            raise DirectoryUnavailable
        return self.world.route if (method, path) == ("POST", PATH) else None

    async def session(self, token_hash: str) -> SessionRecord | None:
        return self.world.sessions.get(token_hash)

    async def application_by_token(self, token_hash: str) -> ApplicationRecord | None:
        slugs = {IDS.token_hash(PLANOORDER): "planoorder", IDS.token_hash(PLANOX2): "planox2"}
        return self.world.applications.get(slugs.get(token_hash, ""))

    async def application(self, slug: str) -> ApplicationRecord | None:
        return self.world.applications.get(slug)

    async def order_inputs(
        self, *, client_id: int, payment_method_id: int | None, slugs: Sequence[str], promotion_code: str | None
    ) -> OrderInputs:
        methods = self.world.methods
        own_default = next((m for m in methods.values() if m.client_id == client_id and m.default), None)
        return OrderInputs(
            client=self.world.clients.get(client_id),
            payment_method=own_default if payment_method_id is None else methods.get(payment_method_id),
            services={slug: self.world.services[slug] for slug in slugs if slug in self.world.services},
            catalog_version="catalog-1",
            promotion=self.world.promotions.get(promotion_code or ""),
        )

    async def touch_session(self, token_hash: str, at: datetime) -> None:
        self.world.touched.append(at)


def app_of(world: World) -> FastAPI:
    directory = RecordsDirectory(world)
    route = PayAndSubmit(
        directory=directory,
        clock=world,
        authenticator=Authenticator(directory, IDS, world),
        commands=CommandBuilder(directory, world, world.amount_due, IDS),
        submit_order=world.submit_order,
        render_order=world.render_order,
        turns=world.turns,
    )
    app = HttpApp(title="Orders", docs_url=None, redoc_url=None, redirect_slashes=False)
    add_pay_and_submit(app, route)
    app.include_router(docs_router())
    describe(app)
    return app


@dataclass
class Api:
    """A client of a running server, and the world behind it."""

    port: int
    world: World

    def post(self, body: Any, headers: Mapping[str, str] | None = None, content_type: str | None = None) -> Answered:
        """Send a body: bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return send(
            self.port, "POST", PATH, content, {"Content-Type": content_type or "application/json", **(headers or {})}
        )

    def pay(self, body: Mapping[str, Any], **headers: str) -> Answered:
        return self.post(body, {name.replace("_", "-"): value for name, value in headers.items()})


def a_body(token: str | None = ADA, **changes: Any) -> dict[str, Any]:
    """A body that is valid for Ada; None takes a parameter out."""
    body = {"token": token, "order": an_order(), **changes}
    return {key: value for key, value in body.items() if value is not None}


def an_order(**changes: Any) -> dict[str, Any]:
    order: dict[str, Any] = {
        "primary_service": {"slug": "photos", "quantity": 15},
        "property_info": {
            "address": {"street": "1 Main St", "city": "Denver", "province": "us_co", "postal_code": "01234"}
        },
        "property_access": an_access(),
        **changes,
    }
    return {key: value for key, value in order.items() if value is not None}


def an_access(**changes: Any) -> dict[str, Any]:
    access: dict[str, Any] = {
        "vacant": True,
        "method_of_access": "lockbox_code",
        "access_code": "0042",
        "lockbox_location": "Front door",
        "onsite_contact_phone": "303-555-0100",
        **changes,
    }
    return {key: value for key, value in access.items() if value is not None}

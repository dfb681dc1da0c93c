"""The orders area, put together from the parts of the service."""

from __future__ import annotations

from starlette.routing import Route

from api.bootstrap import Service
from api.pages.orders.accounts import Accounts
from api.pages.orders.actions import OrderActions
from api.pages.orders.changes import OrderChanges
from api.pages.orders.listing import OrderList
from api.pages.orders.order_page import OrderPage
from api.pages.orders.people_of import PeopleOf
from api.pages.orders.story import Stories
from api.pages.shell import Shell
from application.adapters.authorizenet.codes import STATUS
from application.audit.explaining import Explain


def order_routes(service: Service, shell: Shell) -> list[Route]:
    people = PeopleOf(service.keys, service.derived, service.looks)
    stories = Stories(service.events, Explain(service.events, service.keys, STATUS.get))
    accounts = Accounts(service.views, service.sealing.seals)
    return [
        *OrderList(shell, service.views, service.person_search).routes(),
        *OrderPage(shell, service.events, stories, people, accounts).routes(),
        *OrderChanges(shell, service.events, people).routes(),
        *OrderActions(shell, service.operations, service.events, service.outbox, people).routes(),
    ]

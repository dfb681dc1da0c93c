"""Every page of the console by name, with its address in a lively world: tests and screenshots go through all."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.browsing import Lively

Path = Callable[[Lively], str]


def order_page(kind: str, rest: str = "") -> Path:
    """The page of the order of that kind."""
    return lambda world: f"/console/orders/{world.orders[kind]['id']}{rest}"


def fixed(path: str) -> Path:
    return lambda _: f"/console{path}"


SIGN_IN = fixed("/sign-in")
PAGES: dict[str, Path] = {
    "overview": fixed("/"),
    "orders": fixed("/orders"),
    "orders-none": fixed("/orders?q=nobody"),
    "order-paid": order_page("with a promotion"),
    "order-step": order_page("with a promotion", "?step=4"),
    "order-open": order_page("held"),
    "order-found-again": order_page("unknown"),
    "order-refused": order_page("refused"),
    "order-email": order_page("email fails"),
    "order-people": order_page("paid", "/people"),
    "not-found": fixed("/nothing"),
}

"""From exception to page: what a person reads when a page cannot be shown. No submitted value is repeated."""

from __future__ import annotations


class PageError(Exception):
    """A request that ends with an error page: HTTP code, heading, and what to do about it."""

    def __init__(self, code: int, heading: str, text: str) -> None:
        super().__init__(code, heading)
        self.code = code
        self.heading = heading
        self.text = text


def not_found(what: str = "page") -> PageError:
    return PageError(404, "Not found", f"There is no such {what}.")


def forbidden() -> PageError:
    return PageError(
        403, "Not for your role", "Your roles do not include this page. Ask whoever manages users if you need it."
    )

"""Whether the console shows the sandbox, and who may then be signed in with one click: the example people."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from api.settings import Settings
from application.derived_ids import DerivedIds

_TEST_GATEWAY = "apitest.authorize.net"
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class ExamplePerson:
    """A user of the example directory. The session's token is public: production refuses it."""

    slug: str
    name: str
    sees: str

    @property
    def token(self) -> str:
        return f"session-{self.slug}-example-token"


EXAMPLE_PEOPLE: tuple[ExamplePerson, ...] = (
    ExamplePerson("ed", "Ed, employee", "everything"),
    ExamplePerson("lee", "Lee, liaison", "orders, with the people in them"),
    ExamplePerson("fay", "Fay, finance", "orders by number, money, reports"),
    ExamplePerson("rae", "Rae, reporting", "orders by number, reports"),
    ExamplePerson("otto", "Otto, operations", "orders, reports, how the machinery runs"),
)


def notice_for(settings: Settings) -> str | None:
    """What every page says; None where the real vendors are spoken to."""
    gateway, mail = _host(settings.authorizenet_url), _host(settings.mandrill_url)
    if gateway in _LOCAL and mail in _LOCAL:
        return "Sandbox: no real money, no real mail."
    if gateway in _LOCAL or gateway == _TEST_GATEWAY:
        return "Test gateway: no real money. Mail is real." if mail not in _LOCAL else "Test gateway: no real money."
    return "Mail sandbox: no real mail. Money is real." if mail in _LOCAL else None


def offers_example_people(settings: Settings) -> bool:
    """Both vendors are local stand-ins, and this is not production."""
    local = all(_host(url) in _LOCAL for url in (settings.authorizenet_url, settings.mandrill_url))
    return local and not settings.in_production


def example_sessions(derived: DerivedIds) -> dict[str, str]:
    """Slug → the hash of the example session's token."""
    return {person.slug: derived.token_hash(person.token) for person in EXAMPLE_PEOPLE}


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".")

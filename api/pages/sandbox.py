"""Whether the console shows the sandbox, and who may then be signed in with one click: the example people."""

from __future__ import annotations

from dataclasses import dataclass

from api.settings import Settings
from api.stand_ins import gateway_is_stand_in, mail_is_stand_in, money_is_real
from application.derived_ids import DerivedIds


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
    no_real_mail = mail_is_stand_in(settings)
    if gateway_is_stand_in(settings) and no_real_mail:
        return "Sandbox: no real money, no real mail."
    if not money_is_real(settings):
        return "Test gateway: no real money." if no_real_mail else "Test gateway: no real money. Mail is real."
    return "Mail sandbox: no real mail. Money is real." if no_real_mail else None


def offers_example_people(settings: Settings) -> bool:
    """Both vendors are local stand-ins, and this is not production."""
    return gateway_is_stand_in(settings) and mail_is_stand_in(settings) and not settings.in_production


def example_sessions(derived: DerivedIds) -> dict[str, str]:
    """Slug → the hash of the example session's token."""
    return {person.slug: derived.token_hash(person.token) for person in EXAMPLE_PEOPLE}

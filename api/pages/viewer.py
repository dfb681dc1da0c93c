"""Who looks: the signed-in user, the roles that decide on pages and personal data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from application.ports import SessionRecord

EMPLOYEE, LIAISON, FINANCE, REPORTING, OPERATIONS = "employee", "liaison", "finance", "reporting", "operations"
EVERYBODY = frozenset({EMPLOYEE, LIAISON, FINANCE, REPORTING, OPERATIONS})
ORDER_READERS = EVERYBODY
REPORT_READERS = frozenset({EMPLOYEE, FINANCE, REPORTING, OPERATIONS})
FINANCE_READERS = frozenset({EMPLOYEE, FINANCE})
OPERATORS = frozenset({EMPLOYEE, OPERATIONS})
MONEY_MOVERS = frozenset({EMPLOYEE, FINANCE, OPERATIONS})  # may void and refund
_SEES_PERSONS = frozenset({EMPLOYEE, LIAISON, OPERATIONS})


@dataclass(frozen=True)
class Viewer:
    """A signed-in user who has at least one role of the console."""

    user_id: int
    name: str
    roles: frozenset[str]

    @property
    def actor(self) -> str:
        """As events name it."""
        return f"user:{self.user_id}"

    @property
    def sees_personal_data(self) -> bool:
        """Clients' names, emails and addresses; the others see ids and numbers."""
        return not _SEES_PERSONS.isdisjoint(self.roles)

    def may(self, roles: Collection[str]) -> bool:
        return not self.roles.isdisjoint(roles)


def viewer_of(session: SessionRecord) -> Viewer:
    user = session.user
    roles = frozenset(role.role for role in user.roles) & EVERYBODY
    return Viewer(user.id, f"{user.first_name} {user.last_name}".strip() or f"user {user.id}", roles)

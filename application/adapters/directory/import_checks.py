"""What must hold between the entries of a file: nothing twice, and every reference leads somewhere."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from application.adapters.directory.import_values import DirectoryImport, InvalidImport
from application.adapters.directory.tables import promotion_code_key
from application.ports import PaymentMethodRecord

Place = tuple[str, Hashable]  # the path in the file, and the value there


@dataclass(frozen=True)
class Reference:
    """The entry at `path` names the record `id` of `section` (users or clients)."""

    path: str
    section: str
    id: int


def check_file(read: DirectoryImport) -> None:
    """Raise InvalidImport where the file contradicts itself. References into absent sections are not looked at."""
    for places, reason in _unique(read):
        _refuse_duplicates(places, reason)
    for section, records in (("users", read.users), ("clients", read.clients)):
        if records is not None:
            check_references(read, section, {record.id for record in records})


def check_references(read: DirectoryImport, section: str, known: set[int]) -> None:
    """Raise InvalidImport at the first reference into `section` that is not one of the `known` ids."""
    for reference in references(read):
        if reference.section == section and reference.id not in known:
            raise InvalidImport(reference.path, f"is not one of the {section}")


def references(read: DirectoryImport) -> Iterator[Reference]:
    for index, session in enumerate(read.sessions or ()):
        yield Reference(f"sessions[{index}].user_id", "users", session.user_id)
    for index, method in enumerate(read.payment_methods or ()):
        yield Reference(f"payment_methods[{index}].client_id", "clients", method.client_id)
    for index, user in enumerate(read.users or ()):
        for number, role in enumerate(user.roles):
            if role.client_id is not None:
                yield Reference(f"users[{index}].roles[{number}].client_id", "clients", role.client_id)


def _unique(read: DirectoryImport) -> Iterator[tuple[Iterable[Place], str]]:
    """Values that must not come twice, each with its path, and what to say if one does."""
    twice = "is there twice"
    applications, methods, promotions = read.applications or (), read.payment_methods or (), read.promotions or ()
    tokens = [entry.token for entry in applications], [entry.token for entry in read.sessions or ()]
    yield _places("api_services", "slug", (service.slug for service in read.api_services or ())), twice
    yield _route_places(read), "another route has the same method and path"
    yield _places("applications", "slug", (entry.record.slug for entry in applications)), twice
    yield chain(_places("applications", "token", tokens[0]), _places("sessions", "token", tokens[1])), twice
    yield _places("users", "id", (user.id for user in read.users or ())), twice
    yield _places("clients", "id", (client.id for client in read.clients or ())), twice
    yield _places("payment_methods", "id", (method.id for method in methods)), twice
    yield _default_places(methods), "the client has another default"
    yield _places("services", "slug", (service.slug for service in read.services or ())), twice
    yield _places("promotions", "id", (promotion.promotion_id for promotion in promotions)), twice
    codes = (promotion_code_key(promotion.code) for promotion in promotions)
    yield _places("promotions", "code", codes), "another promotion has the same code"


def _places(section: str, name: str, values: Iterable[Hashable]) -> Iterator[Place]:
    return ((f"{section}[{index}].{name}", value) for index, value in enumerate(values))


def _route_places(read: DirectoryImport) -> Iterator[Place]:
    for index, service in enumerate(read.api_services or ()):
        for number, route in enumerate(service.routes):
            yield f"api_services[{index}].routes[{number}].path", (route.method, route.path)


def _default_places(methods: Iterable[PaymentMethodRecord]) -> Iterator[Place]:
    for index, method in enumerate(methods):
        if method.default:
            yield f"payment_methods[{index}].default", method.client_id


def _refuse_duplicates(places: Iterable[Place], reason: str) -> None:
    seen: set[Hashable] = set()
    for path, value in places:
        if value in seen:
            raise InvalidImport(path, reason)
        seen.add(value)

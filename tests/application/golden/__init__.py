"""The stored format of every event, kept in a file that only ever grows: `stored_events.json`.

An entry is one shape of one topic: its fields with their types, and an event as it was stored. A new topic, or a field
with a default that a topic gets later, is a new entry; what stands there is never changed, for logs hold such events.
Add what is new with

    python -m tests.application.golden
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from application.event_codec import COLUMNS, event_classes_of
from application.stored_events import AGGREGATES, CODEC
from domain.stream import Stream

FILE = Path(__file__).with_name("stored_events.json")
STREAM_ID, VERSION = UUID("018c0000-0000-7000-8000-000000000001"), 3
AT = datetime(2026, 11, 23, 12, 30, 15, 250_000, tzinfo=UTC)

# What the examples hold, by the name of the field. Like the file, this only grows.
VALUES: dict[str, Any] = {
    "actor": "user:1",
    "correlation_id": "req_abcdefghijklmnopqrstuvwxyz",
    "causation_id": "018c0000-0000-7000-8000-000000000001/2",
    "requester": "user:1",
    "holder": "user:1",
    "application": "planoorder",
    "role": "client",
    "designation": "agent",
    "currency": "USD",
    "client_id": 11,
    "payment_method_id": 101,
    "slug": "photos",
    "name": "Photos für die Fassade",
    "kind": "primary",
    "quantity": 15,
    "percent_off": None,
    "invoice_number": "ABCDEFGHIJKLMNOPQR23",
    "transaction_id": "60198765432",
    "authorization_code": "000123",
    "customer_profile_id": "900000001",
    "payment_profile_id": "800000001",
    "brand": "Visa",
    "last4": "0042",
    "response_code": "1",
    "reason_code": "1",
    "message_code": "I00001",
    "avs_result": None,
    "cvv_result": "P",
    "group_id": 1,
    "catalog_version": "3f0a1b2c4d5e6f70",
    "request_digest": "9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de",
    "key_id": "k_4f8a7c2e9d1b",
    "nonce": "AAECAwQFBgcICQoL",
    "ciphertext": "c2VhbGVkIGRhdGEgb2Ygb25lIG9yZGVy",
    "code": "SPRING10",
    "amount_off_cents": 2500,
    "promotion_version": 2,
    "attempt": 1,
    "email_id": "0123456789abcdef0123456789abcdef",
    "email_ids": ("0123456789abcdef0123456789abcdef",),
    "message_id": "fedcba9876543210fedcba9876543210",
    "status": "sent",
    "discounts_cents": (2500,),
    "discount_cents": 2500,
    "total_cents": 16_000,
    "reason": "time-out",
    "rule": "just-paid",
    "outcome": "charged",
    "how": "voided",
    "refund_invoice_number": "ZYXWVUTSRQPONMLKJI32",
    "refund_transaction_id": "60198765499",
    "message": "The order is submitted, and its confirmation email could not be sent.",
    "action": "Check the recipient addresses.",
}


@dataclass(frozen=True)
class Entry:
    """One shape of one topic. `fields`: type by path, as {"lines[].slug": "str"}; `state`: the bytes as they lie."""

    topic: str
    fields: dict[str, str]
    state: bytes

    @property
    def stored(self) -> StoredEvent:
        return StoredEvent(STREAM_ID, VERSION, self.topic, self.state)


def event_classes() -> dict[str, type[Stream.Event]]:
    """All event classes by topic."""
    return {cls.TOPIC: cls for cls in event_classes_of(*AGGREGATES)}  # type: ignore[attr-defined]


def entries() -> list[Entry]:
    """The file, oldest entry first."""
    return [Entry(row["topic"], row["fields"], compact(row["state"])) for row in json.loads(FILE.read_text())]


def compact(state: Any) -> bytes:
    """JSON as the codec writes it."""
    return json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode()


def shape(event_class: type[Stream.Event]) -> dict[str, str]:
    """The stored fields and their types; nested values by path, and each member of an enumeration."""
    hints = get_type_hints(event_class)
    found: dict[str, str] = {}
    for field in fields(event_class):
        if field.name not in COLUMNS:
            found.update(_described(field.name, hints[field.name]))
    return found


def _described(path: str, hint: Any, *, optional: str = "") -> Iterator[tuple[str, str]]:
    if get_origin(hint) in (Union, types.UnionType):
        (present,) = [part for part in get_args(hint) if part is not type(None)]
        yield from _described(path, present, optional=" | None")
    elif get_origin(hint) is tuple:
        yield path, f"array{optional}"
        yield from _described(f"{path}[]", get_args(hint)[0])
    elif is_dataclass(hint):
        yield path, f"object{optional}"
        hints = get_type_hints(hint)
        for field in fields(hint):
            yield from _described(f"{path}.{field.name}", hints[field.name])
    elif issubclass(hint, Enum):
        yield path, f"word{optional}"
        yield from ((f"{path}={member.value}", "member") for member in hint)
    else:
        yield path, f"{hint.__name__}{optional}"


def example(event_class: type[Stream.Event]) -> Stream.Event:
    """An event of that class, the same each time."""
    event: Stream.Event = _built(event_class, originator_id=STREAM_ID, originator_version=VERSION)
    return event


def _built(cls: Any, **given: Any) -> Any:
    hints = get_type_hints(cls)
    named = {field.name for field in fields(cls)} - given.keys()
    return cls(**given, **{name: VALUES[name] if name in VALUES else _value(name, hints[name]) for name in named})


def _value(name: str, hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return _value(name, get_args(hint)[0])
    if get_origin(hint) is tuple:
        return (_value(name, get_args(hint)[0]),)
    if is_dataclass(hint):
        return _built(hint)
    if issubclass(hint, Enum):
        return next(iter(hint))
    return {str: name, int: 18_500, bool: True, UUID: UUID(int=7), datetime: AT}[hint]


def add_new() -> list[str]:
    """Append an entry for every shape that the file does not hold; the topics. Raises ValueError for a broken one."""
    known, rows = entries(), json.loads(FILE.read_text())
    added: list[str] = []
    for topic, event_class in event_classes().items():
        now = shape(event_class)
        earlier = [entry.fields for entry in known if entry.topic == topic]
        if now in earlier:
            continue
        if any(old.items() - now.items() for old in earlier):
            raise ValueError(f"{topic} has lost or changed a field: give the new shape a new topic and an upcaster")
        state = json.loads(CODEC.encode(example(event_class)).state)
        rows.append({"topic": topic, "fields": now, "state": state})
        added.append(topic)
    FILE.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    return added

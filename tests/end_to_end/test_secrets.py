"""What must never be seen: tokens, keys and cards anywhere, and personal data outside of its sealed place.

Every test searches what one eventful hour has left behind, at the most talkative log level: the log output, every row
of every table, the bytes of the files, every answer, and the figures.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.end_to_end.client import ORDERS
from tests.end_to_end.world import NOWHERE, UNREACHABLE_CLIENT, World, a_directory, an_access, an_address, opened_world

ADA, ED, NORA = (f"session-{name}-kanari-token" for name in ("ada", "ed", "nora"))
PLANOORDER, UNKNOWN = "app-planoorder-kanari-token", "unknown-kanari-token"
KEYS = {
    "authorizenet_login_id": "kanari-login-id",
    "authorizenet_transaction_key": "kanari-txn-key-1",
    "authorizenet_signature_key": "kanari-signature-key",
    "mandrill_api_key": "kanari-mandrill-key",
    "mandrill_webhook_key": "kanari-webhook-key",
    "secret_key": "kanari-secret-key-that-derives-all-the-others",
    "seal_key": "a2FuYXJpLXNlYWwta2V5LW9mLXRoZS1vcmRlcnMhISE=",
}
SECRETS = ("kanari-", *KEYS.values(), ADA, ED, NORA, PLANOORDER, UNKNOWN)
CARD_NUMBER, CVV = "4111111111111111", "cvv-of-kumquat"

# Sent with an order, and stored nowhere but sealed.
ORDERED = {
    "street": "77 Zyzzyva Lane",
    "city": "Quxville",
    "access code": "ACCESS-8642",
    "lockbox": "beneath the gnome",
    "contact": "Wilhelmina Fnord",
    "phone": "303-555-0177",
    "contact's e-mail": "fnord@zyzzyva.example",
    "notes": "the dog is called Grue",
    "instructions": "more of the gazebo",
    "metadata": "ref-xyzzy",
}
# Known to the directory, and copied into the log only sealed.
KNOWN = {"client's name": "Plugh Realty", "client's e-mail": "orders@plugh.example", "user's name": "Adalbertine"}
DIRECTORY_TABLE = re.compile(r"directory_")


@dataclass(frozen=True)
class Evidence:
    """Everything that can be looked at afterwards."""

    log: str
    tables: dict[str, str]
    files: str
    answers: list[str]  # with their headers
    metrics: str
    order_read: str  # the one answer that may show what was ordered

    @property
    def places(self) -> dict[str, str]:
        shown = {f"answer {number}": answer for number, answer in enumerate(self.answers)}
        return {"log": self.log, "files": self.files, "metrics": self.metrics, **self.tables, **shown}


class LogOutput(logging.Handler):
    """Keeps what the process would write to stderr."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def evidence(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    directory = json.loads(json.dumps(a_directory()).replace("-example-token", "-kanari-token"))
    directory["clients"][0] |= {"name": KNOWN["client's name"], "email": KNOWN["client's e-mail"]}
    directory["users"][0]["first_name"] = KNOWN["user's name"]
    output = LogOutput()
    logging.getLogger().addHandler(output)
    try:
        folder = tmp_path_factory.mktemp("secrets")
        with opened_world(database_url, folder, directory, log_level="debug", **KEYS) as world:
            order_read = an_eventful_hour(world)
            metrics = world.send("GET", "/metrics").text
            answers = [f"{answer.headers}\n{answer.text}" for answer in world.answers]
            files, tables = world.database.raw().decode(errors="replace"), world.database.dump()
        yield Evidence("\n".join(output.lines), tables, files, answers, metrics, order_read)
    finally:
        logging.getLogger().removeHandler(output)


def an_eventful_hour(world: World) -> str:
    """Every kind of ending; gives the answer in the view order_read, which is kept out of the others."""
    paid = world.pay(a_telling_body(world, session_view="default", application_view="default"), Idempotency_Key="k-1")
    statuses = [paid.status]
    statuses.append(world.pay(a_telling_body(world, payment_method_id=102)).status)
    with world.server(gateway_deadline_s=0.3) as impatient:
        statuses.append(impatient.pay(a_telling_body(world, payment_method_id=113)).status)
    with world.server(authorizenet_url=NOWHERE, rate_limit="9/60s") as cut_off:
        statuses.append(cut_off.pay(a_telling_body(world)).status)
    with world.without("stored_events"):
        statuses.append(world.pay(a_telling_body(world)).status)
    with world.without("directory_sessions"):
        statuses.append(world.pay(a_telling_body(world)).status)
    with world.without("directory_routes"):
        statuses.append(world.pay(a_telling_body(world)).status)
    statuses.append(world.pay(a_telling_body(world, token=ED, order={"client": UNREACHABLE_CLIENT})).status)
    statuses.append(world.pay(a_telling_body(world, token=NORA)).status)
    statuses.append(world.pay(a_telling_body(world, token=UNKNOWN)).status)
    statuses.append(world.pay(a_telling_body(world, card_number=CARD_NUMBER, cvv=CVV)).status)
    statuses.append(world.pay(json.dumps(a_telling_body(world)).encode()[:-1]).status)
    assert statuses == [
        "action-successful", "declined-payment", "external-application-error", "external-application-error",
        "application-crash", "application-crash", "identify-request-error", "mandrill-email-failed", "client-required",
        "invalid-token", "invalid-param", "invalid-encoded-params",
    ]  # fmt: skip
    path = f"{ORDERS}/{paid.order['id']}"
    for read in (path, f"{path}/events", f"{ORDERS}?min_position={paid.data['position']}", "/api/v1/notifications"):
        assert world.get(read, ED).code == 200
    for open_to_all in ("/health/ready", "/openapi.json", "/docs"):
        assert world.send("GET", open_to_all).code == 200
    order_read = world.get(path, ADA, {"view": "order_read"})
    world.answers.remove(order_read)
    return order_read.text


def a_telling_body(world: World, order: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A body in which everything personal is told apart from everything else."""
    instructions = {"slug": "photos", "quantity": 15, "service_instructions": ORDERED["instructions"]}
    address = an_address(street2=f"Unit {next(world.homes)}", street=ORDERED["street"], city=ORDERED["city"])
    access = an_access(
        access_code=ORDERED["access code"],
        lockbox_location=ORDERED["lockbox"],
        onsite_contact_name=ORDERED["contact"],
        onsite_contact_phone=ORDERED["phone"],
        onsite_contact_email=ORDERED["contact's e-mail"],
    )
    details = {
        "primary_service": instructions,
        "property_info": {"address": address},
        "property_access": access,
        "notes": f"{ORDERED['notes']}; my card is {CARD_NUMBER}",
        "metadata": {"ref": ORDERED["metadata"]},
    }
    return world.body({**details, **(order or {})}, **{"token": ADA, **changes})


def test_the_evidence_is_there(evidence: Evidence) -> None:
    assert "application-crash" in evidence.log
    assert "identify-request-error" in evidence.log
    assert "order.payment-declined.v1" in evidence.tables["stored_events"]
    assert {"stored_events", "client_keys", "view_orders", "view_notifications", "rate_limits"} <= set(evidence.tables)
    for value in ORDERED.values():
        assert value in evidence.order_read


@pytest.mark.parametrize("secret", SECRETS)
def test_no_token_and_no_key_is_seen_anywhere(evidence: Evidence, secret: str) -> None:
    assert seen(secret, evidence.places | {"order_read": evidence.order_read}) == []


@pytest.mark.parametrize("value", ORDERED)
def test_what_was_ordered_is_stored_sealed_only_and_shown_nowhere_else(evidence: Evidence, value: str) -> None:
    assert seen(ORDERED[value], evidence.places) == []


@pytest.mark.parametrize("value", KNOWN)
def test_names_and_addresses_of_the_directory_stay_in_it(evidence: Evidence, value: str) -> None:
    tables = {name: rows for name, rows in evidence.tables.items() if not DIRECTORY_TABLE.match(name)}

    assert seen(KNOWN[value], {"log": evidence.log, "metrics": evidence.metrics, **tables}) == []
    assert any(KNOWN[value] in rows for rows in evidence.tables.values())


def test_no_card_number_and_no_cvv_is_seen_anywhere(evidence: Evidence) -> None:
    assert seen(CARD_NUMBER, evidence.places) == []
    assert seen(CVV, evidence.places) == []
    # Times in microseconds have as many digits as a card number.
    places = {name: text for name, text in evidence.places.items() if name not in ("files", "rate_limits")}
    assert {name: found for name, text in places.items() if (found := card_numbers(text))} == {}


def test_a_scan_for_card_numbers_finds_one() -> None:
    assert card_numbers(f"x {CARD_NUMBER} 4111 1111 1111 1111 4111111111111112") == [CARD_NUMBER, "4111 1111 1111 1111"]


def seen(text: str, places: dict[str, str]) -> list[str]:
    """The places that hold the text."""
    return [place for place, content in places.items() if text in content]


def card_numbers(text: str) -> list[str]:
    """13 to 19 digits, alone or in groups, whose check digit is right (ISO/IEC 7812-1, annex B)."""
    found = re.findall(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])", text)
    return [number for number in found if _check_digit_is_right(re.sub(r"\D", "", number))]


def _check_digit_is_right(digits: str) -> bool:
    doubled = [2 * int(digit) - 9 * (digit > "4") for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0

"""What is sent is what the SDK's contracts write, in the order that the schema demands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from application.adapters.authorizenet.charge_template import charge_bytes, tidy
from application.adapters.authorizenet.requests import Requests
from application.ports import ChargeRequest
from tests.application.adapters.authorizenet.wire import CHARGE, INVOICE, KEY, LOGIN

XML_TEXT = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
DIGITS = st.text("0123456789", min_size=1, max_size=20)


@settings(max_examples=150, deadline=None)
@given(
    login=st.text(XML_TEXT, min_size=1, max_size=25),
    key=st.text(XML_TEXT, min_size=1, max_size=16),
    request=st.builds(
        ChargeRequest,
        invoice_number=st.from_regex(r"[A-Za-z0-9-]{1,20}", fullmatch=True),
        amount_cents=st.integers(1, 10**12),
        customer_profile_id=DIGITS,
        payment_profile_id=DIGITS,
        description=st.text(XML_TEXT, max_size=255),
    ),
)
def test_the_template_writes_what_the_sdk_writes(login: str, key: str, request: ChargeRequest) -> None:
    assert charge_bytes(login, key, request) == Requests(login, key).charge(request)


@pytest.mark.parametrize("amount_cents", [1, 9, 10, 99, 100, 101, 110, 1000, 16650, 100000, 99999999])
def test_an_amount_is_written_as_the_sdk_writes_it(amount_cents: int) -> None:
    request = ChargeRequest(INVOICE, amount_cents, "1", "2", "x")
    assert charge_bytes(LOGIN, KEY, request) == Requests(LOGIN, KEY).charge(request)


def test_a_charge_carries_its_fields_in_the_order_of_the_schema() -> None:
    root = etree.fromstring(charge_bytes(LOGIN, KEY, CHARGE))
    fields = [etree.QName(node).localname for node in root.find("{*}transactionRequest").iter()]
    assert " ".join(fields) == (
        "transactionRequest transactionType amount profile customerProfileId paymentProfile paymentProfileId "
        "order invoiceNumber description transactionSettings setting settingName settingValue setting settingName "
        "settingValue"
    )
    assert [etree.QName(node).localname for node in root] == ["merchantAuthentication", "refId", "transactionRequest"]
    values = {etree.QName(node).localname: node.text for node in root.iter()}
    assert (values["refId"], values["invoiceNumber"], values["amount"]) == (INVOICE, INVOICE, "166.5")
    assert [(node[0].text, node[1].text) for node in root.iterfind(".//{*}setting")] == [
        ("duplicateWindow", "28800"),
        ("allowPartialAuth", "false"),
    ]


@given(description=st.text())
def test_any_description_becomes_one_that_xml_can_carry(description: str) -> None:
    request = ChargeRequest(INVOICE, 100, "1", "2", description)
    carried = etree.fromstring(charge_bytes(LOGIN, KEY, request)).findtext(".//{*}description") or ""
    assert carried == tidy(description)
    assert len(carried) <= 255


@pytest.mark.parametrize(
    "wrong",
    [
        ChargeRequest("", 100, "1", "2", "x"),
        ChargeRequest("A" * 21, 100, "1", "2", "x"),
        ChargeRequest("A<B", 100, "1", "2", "x"),
        ChargeRequest(INVOICE, 0, "1", "2", "x"),
        ChargeRequest(INVOICE, -100, "1", "2", "x"),
        ChargeRequest(INVOICE, 100, "one", "2", "x"),
        ChargeRequest(INVOICE, 100, "1", "", "x"),
    ],
)
def test_a_charge_that_the_gateway_would_refuse_as_malformed_is_not_built(wrong: ChargeRequest) -> None:
    with pytest.raises(ValueError):
        charge_bytes(LOGIN, KEY, wrong)


def test_a_refund_names_the_card_by_its_last_four_digits_and_carries_the_invoice() -> None:
    root = etree.fromstring(Requests(LOGIN, KEY).refund("60012345678", 110, "1111", INVOICE))
    order = [etree.QName(node).localname for node in root.find("{*}transactionRequest")]
    assert order == ["transactionType", "amount", "payment", "refTransId", "order", "transactionSettings"]
    assert root.findtext(".//{*}cardNumber") == "1111"
    assert root.findtext(".//{*}expirationDate") == "XXXX"
    assert root.findtext(".//{*}invoiceNumber") == INVOICE


def test_lists_ask_for_full_pages_newest_first() -> None:
    root = etree.fromstring(Requests(LOGIN, KEY).of_customer("900100", 3))
    assert root.findtext(".//{*}orderBy") == "submitTimeUTC"
    assert root.findtext(".//{*}orderDescending") == "true"
    assert (root.findtext(".//{*}limit"), root.findtext(".//{*}offset")) == ("1000", "3")


def test_batches_are_asked_for_in_utc() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    root = etree.fromstring(Requests(LOGIN, KEY).batches(moment, moment))
    assert root.findtext("{*}firstSettlementDate") == "2026-03-01T12:00:00Z"
    assert root.findtext("{*}lastSettlementDate") == "2026-03-01T12:00:00Z"


def test_the_keys_do_not_show() -> None:
    assert KEY not in repr(Requests(LOGIN, KEY))

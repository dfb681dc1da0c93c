"""The strictness of the wire: order, names, keys, content types, sizes, entities; and the JSON form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.sandbox.authorizenet.encoding import BYTE_ORDER_MARK
from tests.sandbox.authorizenet.client import KEYS, Client, Reply, charge_body, with_sandbox


def _json_charge(**changes: Any) -> dict[str, Any]:
    transaction: dict[str, Any] = {
        "transactionType": "authCaptureTransaction",
        "amount": 166.5,
        "profile": {"customerProfileId": "9", "paymentProfile": {"paymentProfileId": "800000001"}},
        "order": {"invoiceNumber": "J-1"},
        "transactionSettings": {"setting": [{"settingName": "duplicateWindow", "settingValue": "28800"}]},
    }
    content = {"merchantAuthentication": KEYS, "refId": "r", "transactionRequest": {**transaction, **changes}}
    return {"createTransactionRequest": content}


async def _ask_json(client: Client, document: object) -> Any:
    status, headers, body = await client.raw(json.dumps(document).encode(), "application/json")
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert body.startswith(BYTE_ORDER_MARK)
    return json.loads(body.removeprefix(BYTE_ORDER_MARK))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<amount>166.50</amount>", b"<surprise>1</surprise>"),
        (b"<amount>166.50</amount>", b"<order/>"),
        (b"<amount>166.50</amount>", b"<amount>much</amount>"),
        (b"<invoiceNumber>INV-1<", b"<invoiceNumber>123456789012345678901<"),
        (b"<paymentProfileId>800000001<", b"<paymentProfileId>eight<"),
        (b"</createTransactionRequest>", b""),
        (b"<createTransactionRequest", b'<!DOCTYPE a [<!ENTITY b "c">]><createTransactionRequest'),
    ],
    ids=["unknown", "order", "type", "length", "pattern", "not-well-formed", "doctype"],
)
def test_what_breaks_the_schema_is_e00003_in_an_error_response_and_charges_nothing(before: bytes, after: bytes) -> None:
    async def scenario(client: Client) -> None:
        body = charge_body()
        assert before in body
        reply = Reply(*await client.raw(body.replace(before, after)))
        assert (reply.status, reply.name, reply.code) == (200, "ErrorResponse", "E00003")
        assert reply["messages/resultCode"] == "Error"
        assert await client.transactions() == []

    with_sandbox(scenario)


def test_the_complaint_about_a_wrong_order_names_parent_and_child() -> None:
    async def scenario(client: Client) -> None:
        reply = await client.charge(rest="<lineItems/><profile/>")
        text = reply["messages/message/text"] or ""
        assert text.startswith("The element 'transactionRequest' in namespace")
        assert "invalid child element 'profile'" in text
        assert "List of possible elements expected: 'tax, duty" in text

    with_sandbox(scenario)


def test_an_unknown_operation_a_missing_namespace_and_another_content_type_have_codes_of_their_own() -> None:
    async def scenario(client: Client) -> None:
        assert (await client.ask("makeCoffeeRequest")).code == "E00004"
        bare = charge_body().replace(b' xmlns="AnetApi/xml/v1/schema/AnetApiSchema.xsd"', b"")
        assert Reply(*await client.raw(bare)).code == "E00045"
        assert Reply(*await client.raw(charge_body(), "text/plain")).code == "E00002"

    with_sandbox(scenario)


@pytest.mark.parametrize("wrong", [{"name": "other"}, {"transactionKey": "other"}, {"transactionKey": ""}])
def test_wrong_keys_are_e00007_without_a_transaction_response(wrong: dict[str, str]) -> None:
    async def scenario(client: Client) -> None:
        reply = await client.ask("authenticateTestRequest", keys={**KEYS, **wrong})
        assert (reply.status, reply.name, reply.code) == (200, "ErrorResponse", "E00007")
        assert reply.all("transactionResponse") == []

    with_sandbox(scenario)


def test_a_body_above_the_limit_is_refused_and_one_of_64_kib_is_read() -> None:
    async def scenario(client: Client) -> None:
        large = charge_body(rest=f"<lineItems>{' ' * 64 * 1024}</lineItems>")
        assert Reply(*await client.raw(large)).outcome == ("1", "1")
        assert (await client.raw(b" " * 200_000))[0] == 413

    with_sandbox(scenario)


def test_an_external_entity_is_never_read() -> None:
    async def scenario(client: Client) -> None:
        evil = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>'
        body = evil + charge_body().replace(b"INV-1", b"&b;")
        assert Reply(*await client.raw(body)).code == "E00003"

    with_sandbox(scenario)


def test_the_json_form_charges_and_reports_with_bare_lists() -> None:
    async def scenario(client: Client) -> None:
        charged = await _ask_json(client, _json_charge())
        assert list(charged) == ["transactionResponse", "refId", "messages"]
        response = charged["transactionResponse"]
        assert response["messages"] == [{"code": "1", "description": "This transaction has been approved."}]
        wish = {"merchantAuthentication": KEYS, "transId": response["transId"]}
        details = await _ask_json(client, {"getTransactionDetailsRequest": wish})
        assert details["transaction"]["authAmount"] == 166.5
        assert details["transaction"]["responseCode"] == 1
        listed = await _ask_json(client, {"getUnsettledTransactionListRequest": {"merchantAuthentication": KEYS}})
        assert [row["transId"] for row in listed["transactions"]] == [response["transId"]]

    with_sandbox(scenario)


def test_the_json_form_is_ordered_too_and_refuses_what_it_cannot_read() -> None:
    async def scenario(client: Client) -> None:
        late = _json_charge()
        transaction = late["createTransactionRequest"]["transactionRequest"]
        transaction["amount"] = transaction.pop("amount")
        deep: Any = "x"
        for _ in range(30):
            deep = {"a": deep}
        documents: tuple[Any, ...] = (late, [1], {}, {"a b": {}}, {"authenticateTestRequest": deep}, None)
        for document in documents:
            answer = await _ask_json(client, document)
            assert list(answer) == ["messages"]
            assert answer["messages"]["message"][0]["code"] == "E00003"
        wrong = await _ask_json(client, {"authenticateTestRequest": {"merchantAuthentication": {"name": "x"}}})
        assert wrong["messages"]["message"][0]["code"] == "E00007"

    with_sandbox(scenario)

"""Void, refund, settlement and review."""

from __future__ import annotations

import pytest

from tests.sandbox.authorizenet.client import Client, transaction_id, with_sandbox


def test_a_void_answers_with_the_original_and_a_second_one_with_310() -> None:
    async def scenario(client: Client) -> None:
        charge = transaction_id(await client.charge())
        first = await client.void(charge)
        assert (first.code, first.outcome, transaction_id(first)) == ("I00001", ("1", "1"), charge)
        second = await client.void(charge)
        assert (second.code, second.outcome, second["transactionResponse/transId"]) == ("I00001", ("1", "310"), "0")
        [row] = await client.transactions()
        assert row["status"] == "voided"
        assert [entry["event"] for entry in row["history"]] == ["created", "voided"]
        details = await client.details(charge)
        assert details["transaction/settleAmount"] == "0.00"
        assert details["transaction/authAmount"] == "166.50"

    with_sandbox(scenario)


def test_what_is_unknown_declined_or_settled_cannot_be_voided() -> None:
    async def scenario(client: Client) -> None:
        declined = transaction_id(await client.charge("declined"))
        settled = transaction_id(await client.charge())
        await client.post("/_ledger/settle")
        for wanted in ("1", declined, settled):
            reply = await client.void(wanted)
            assert (reply.code, reply.outcome, reply["transactionResponse/transId"]) == ("E00027", ("3", "16"), "0")
            assert reply["transactionResponse/refTransID"] == wanted

    with_sandbox(scenario)


def test_a_refund_is_possible_after_settlement_only_and_never_above_the_charge() -> None:
    async def scenario(client: Client) -> None:
        charge = transaction_id(await client.charge())
        assert (await client.refund(charge, "10.00")).outcome == ("3", "54")
        assert (await client.post("/_ledger/settle"))[1]["transactions"] == 1
        part = await client.refund(charge, "100.00")
        assert (part.outcome, part["transactionResponse/refTransID"]) == (("1", "1"), charge)
        assert transaction_id(part) != charge
        assert (await client.refund(charge, "66.51")).outcome == ("3", "55")
        assert (await client.refund(charge, "66.50")).outcome == ("1", "1")
        assert (await client.refund(charge, "0.01")).outcome == ("3", "55")
        details = await client.details(transaction_id(part))
        assert details["transaction/refTransId"] == charge
        assert details["transaction/transactionStatus"] == "refundPendingSettlement"
        await client.post("/_ledger/settle")
        assert [row["status"] for row in await client.transactions()] == [
            "settledSuccessfully",
            "refundSettledSuccessfully",
            "refundSettledSuccessfully",
        ]
        history = (await client.transactions())[0]["history"]
        assert [entry["event"] for entry in history] == ["created", "settled", "refunded", "refunded"]

    with_sandbox(scenario)


def test_a_voided_refund_may_be_made_again() -> None:
    async def scenario(client: Client) -> None:
        charge = transaction_id(await client.charge())
        await client.post("/_ledger/settle")
        refund = transaction_id(await client.refund(charge, "166.50"))
        assert (await client.void(refund)).outcome == ("1", "1")
        assert (await client.refund(charge, "166.50")).outcome == ("1", "1")

    with_sandbox(scenario)


def test_a_refund_of_an_unknown_charge_another_card_no_card_or_no_amount_is_refused() -> None:
    async def scenario(client: Client) -> None:
        charge = transaction_id(await client.charge())
        await client.post("/_ledger/settle")
        assert (await client.refund("1", "1.00")).outcome == ("3", "16")
        assert (await client.refund(charge, "1.00", last4="4242")).outcome == ("3", "54")
        assert (await client.refund(charge, "0.00")).outcome == ("3", "5")
        kind = "<transactionType>refundTransaction</transactionType><amount>1.00</amount>"
        content = f"<transactionRequest>{kind}<refTransId>{charge}</refTransId></transactionRequest>"
        assert (await client.ask("createTransactionRequest", content)).outcome == ("3", "33")
        assert len(await client.transactions()) == 1

    with_sandbox(scenario)


@pytest.mark.parametrize(
    ("slug", "action", "status"),
    [
        ("held", "approve", "capturedPendingSettlement"),
        ("held-authorized", "approve", "capturedPendingSettlement"),
        ("held", "decline", "declined"),
        ("held-authorized", "decline", "voided"),
    ],
)
def test_a_review_ends_what_was_held(slug: str, action: str, status: str) -> None:
    async def scenario(client: Client) -> None:
        held = transaction_id(await client.charge(slug))
        reply = await client.review(held, action)
        assert (reply.name, reply.code) == ("updateHeldTransactionResponse", "I00001")
        assert reply.outcome == (("1", "1") if action == "approve" else ("2", "254"))
        details = await client.details(held)
        assert details["transaction/transactionStatus"] == status
        assert len(details["transaction/authCode"] or "") == (0 if status == "declined" else 6)
        again = await client.review(held, action)
        assert (again.code, again.outcome) == ("E00027", ("3", "16"))

    with_sandbox(scenario)


def test_a_person_can_review_at_the_ledger_too() -> None:
    async def scenario(client: Client) -> None:
        held = transaction_id(await client.charge("held"))
        assert (await client.post(f"/_held/{held}/approve"))[0] == 200
        assert (await client.post(f"/_held/{held}/approve"))[0] == 404
        assert [row["status"] for row in await client.transactions()] == ["capturedPendingSettlement"]

    with_sandbox(scenario)


def test_settlement_leaves_held_ones_open_and_an_empty_one_makes_no_batch() -> None:
    async def scenario(client: Client) -> None:
        await client.charge("held")
        assert (await client.post("/_ledger/settle"))[1] == {"batchId": None, "transactions": 0}
        await client.charge()
        await client.charge("declined")
        assert (await client.post("/_ledger/settle"))[1]["transactions"] == 2
        assert [row["status"] for row in await client.transactions()] == [
            "FDSPendingReview",
            "settledSuccessfully",
            "declined",
        ]

    with_sandbox(scenario)

"""An order explained: who, when, by which rule on which inputs, what the gateway said, and what each event changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from application import notifications
from application.adapters.authorizenet.codes import STATUS
from application.adapters.recorders.memory import MemoryRecorder
from application.audit.explaining import Explain, with_seals
from application.audit.explanation import Change, Explanation, Rule, Step
from application.event_log import EventLog
from application.ports.seals import Seal
from application.stored_events import CODEC
from domain.order import Order
from tests.application.audit.stories import START, Stories, every_ending
from tests.application.stand_ins import MemoryKeys
from tests.application.world import World, a_command
from tests.helpers import run


class Erased(MemoryKeys):
    """The keys of people who were erased."""

    async def find(self, key_id: str) -> bytes | None:
        return None


def explained(log: Stories, order: Order) -> Explanation:
    async def explain() -> Explanation | None:
        recorder = MemoryRecorder()
        await recorder.insert([CODEC.encode(event) for event in log.events])
        return await Explain(EventLog(recorder, CODEC), Erased(), STATUS.get)(order.id)

    explanation = run(explain())
    assert explanation is not None
    return explanation


def step(explanation: Explanation, name: str) -> Step:
    return next(step for step in explanation.steps if step.name == name)


def rule(explanation: Explanation, name: str) -> Rule:
    found = step(explanation, name).rule
    assert found is not None
    return found


def test_the_steps_are_the_events_of_the_order_and_of_its_guards_in_the_order_of_the_log() -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    log.order(1, user="user:9", ending="declined")  # of another order on the same duplicate window
    guards = log.order(1, promotion="SPRING10")
    log.mailed(guards)

    explanation = explained(log, guards.order)

    assert [found.name for found in explanation.steps] == [
        "Requested", "PromotionApplied", "PaymentAttempted", "Reserved", "Opened",
        "PaymentCharged", "Submitted", "Redeemed", "Closed", "EmailSent",
    ]  # fmt: skip
    assert [found.position for found in explanation.steps] == sorted(found.position for found in explanation.steps)
    assert {found.actor for found in explanation.steps} == {"user:1"}
    assert step(explanation, "Requested").recorded_at == START + timedelta(seconds=1)
    assert all(found.sentence.endswith(".") for found in explanation.steps)


def test_each_step_tells_what_it_changed() -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    guards = log.order(1, promotion="SPRING10")

    explanation = explained(log, guards.order)

    applied = step(explanation, "PromotionApplied").changes
    assert Change("total_cents", 31_000, 27_900) in applied
    assert Change("lines[0].discount_cents", 0, 1_850) in applied
    charged = step(explanation, "PaymentCharged").changes
    assert Change("payment.state", "attempted", "charged") in charged
    assert step(explanation, "Closed").changes[0] == Change("duplicate_window.is_open", True, False)


def test_a_promotion_shows_its_terms_of_that_moment_and_not_of_today() -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10, designation="agent")
    log.later(3600)
    guards = log.order(1, promotion="SPRING10")
    log.promotion("SPRING10", percent_off=50)

    found = rule(explained(log, guards.order), "PromotionApplied")

    assert found.name == "promotion-terms-of-that-moment"
    assert (found.inputs["version"], found.inputs["percent_off"]) == (1, 10)
    assert found.inputs["designation_of_promotion"] == found.inputs["designation_of_requester"] == "agent"
    assert found.inputs["terms_recorded_at"] == "2026-11-02T09:00:00Z"
    assert found.inputs["now"] == "2026-11-02T10:00:00Z"


def test_a_duplicate_shows_when_its_window_opened_and_until_when_it_was_blocked() -> None:
    log = Stories()
    paid = log.order(1)
    log.later(49)
    refused = log.order(1)

    explanation = explained(log, refused.order)

    found = rule(explanation, "Refused")
    assert found.name == "just-paid"
    assert found.inputs["earlier_order_id"] == str(paid.order.id)
    assert (found.inputs["opened_at"], found.inputs["closed_at"]) == ("2026-11-02T09:00:00Z", "2026-11-02T09:00:01Z")
    assert (found.inputs["now"], found.inputs["blocked_until"]) == ("2026-11-02T09:00:50Z", "2026-11-02T09:02:01Z")
    assert found.inputs["seconds_left"] == 71
    assert found.inputs["rules_in_order"][0] == "invalid-promotion"
    assert [found.name for found in explanation.steps] == ["Requested", "Refused"]  # not the other order's events


def test_a_used_promotion_shows_when_and_by_which_order_it_was_used() -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    first = log.order(1, promotion="SPRING10")
    log.later(9)
    refused = log.order(2, promotion="SPRING10")

    explanation = explained(log, refused.order)

    found = rule(explanation, "Refused")
    assert (found.name, found.inputs["held_by_order"]) == ("already-redeemed", str(first.order.id))
    assert (found.inputs["reserved_at"], found.inputs["redeemed_at"]) == (
        "2026-11-02T09:00:00Z",
        "2026-11-02T09:00:01Z",
    )
    told = rule(explanation.for_owner(), "Refused")
    assert "held_by_order" not in told.inputs


def test_an_expired_card_shows_its_last_day() -> None:
    log = Stories()
    found = rule(explained(log, log.order(1, expired_card=True).order), "Refused")

    assert found.inputs["last_day"] == "2020-12-31"


def test_what_the_gateway_said_is_shown_with_what_our_table_says_of_it() -> None:
    log = Stories()
    said = step(explained(log, log.order(1, ending="declined").order), "PaymentDeclined").gateway

    assert said is not None
    assert (said.response_code, said.response) == ("2", "declined")
    assert (said.reason_code, said.reason_status) == ("2", "declined-payment")
    assert said.found_by == "answer"


def test_a_charge_that_recovery_found_says_by_what() -> None:
    log = Stories()
    guards = log.order(1, ending="unknown")
    log.later(30)
    log.end(guards, "found")

    explanation = explained(log, guards.order)

    found = rule(explanation, "PaymentCharged")
    assert found.name == "found-by-invoice-number"
    assert found.inputs["invoice_number"] == f"{1:020}"
    assert (found.inputs["waited_s"], found.inputs["found_by"]) == (31, "lookup")
    assert step(explanation, "PaymentCharged").actor == "system:recovery"
    assert rule(explanation, "Closed").inputs["blocked_s"] == 86_400


def test_notifications_are_steps_for_those_who_see_the_internals_and_not_for_the_client() -> None:
    log = Stories()
    guards = log.order(1)
    log.notified(notifications.raised(notifications.EMAIL_FAILED, guards.order.id, log.by("system:outbox")))

    explanation = explained(log, guards.order)

    assert explanation.steps[-1].stream == "notification"
    assert rule(explanation, "Raised").inputs["kind"] == "email-failed"
    assert all(found.stream != "notification" for found in explanation.for_owner().steps)


def test_the_client_sees_neither_operators_nor_their_words() -> None:
    log = Stories()
    guards = log.order(1)
    log.taken_back(guards)

    explanation = explained(log, guards.order)
    told = explanation.for_owner()

    assert step(explanation, "VoidRequested").actor == "operator:kim"
    assert rule(explanation, "VoidRequested").inputs["reason"] == "the client moved out"
    assert step(told, "VoidRequested").actor == "operator"
    assert {found.causation_id for found in told.steps} == {None}
    assert "kim" not in repr(told)
    assert "moved out" not in repr(told)


def test_personal_data_is_told_by_the_names_of_its_fields_only() -> None:
    world = World()
    outcome = run(world.handler(a_command(notes="Ring twice.")))
    assert outcome.order_id is not None
    explain = Explain(world.events, MemoryKeys(), STATUS.get)

    explanation = run(explain(outcome.order_id))

    assert explanation is not None
    given = rule(explanation, "Requested").inputs["personal_fields_given"]
    assert {"client_name", "recipients", "property_info", "notes"} <= set(given)
    assert "property_access" not in given
    for secret in ("Ring twice", "Alder", "ada.example.com", "Ada Agent"):
        assert secret not in repr(explanation)


def test_of_an_erased_person_not_even_the_names_of_fields_are_told() -> None:
    log = Stories()

    assert rule(explained(log, log.order(1).order), "Requested").inputs["personal_fields_given"] == "erased"


def test_each_step_shows_the_seal_that_covers_it_and_none_before_that() -> None:
    log = Stories()
    guards = log.order(1)

    class UpTo:
        async def covering(self, positions: Sequence[int]) -> Mapping[int, Seal]:
            seal = Seal(3, 3, "00", START + timedelta(seconds=1))
            return {position: seal for position in positions if position <= seal.position}

    sealed = [found.seal is not None for found in run(with_seals(explained(log, guards.order), UpTo())).steps]

    assert sealed == [True] * 3 + [False] * 3


def test_every_order_of_a_long_history_can_be_explained() -> None:
    log = every_ending()
    orders = {event.originator_id: event for event in log.events if isinstance(event, Order.Requested)}

    for order_id in orders:
        explanation = explained(log, Order.empty(order_id))
        assert explanation.state is not None
        told = {found.position for found in explanation.steps}
        assert {n for n, event in enumerate(log.events, 1) if event.originator_id == order_id} <= told


def test_an_order_that_does_not_exist_has_no_explanation() -> None:
    assert run(Explain(EventLog(MemoryRecorder(), CODEC), MemoryKeys(), STATUS.get)(UUID(int=1))) is None

"""Logs of a simulated world, with crashes, frozen processes, outages and every fault of the vendors: none of it is a
mismatch, none of it would have ended differently under its own policy, and every order of it can be explained."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from uuid import UUID

import pytest

from application.adapters.authorizenet.codes import STATUS
from application.adapters.recorders.memory import MemoryRecorder
from application.audit.checking import LogCheck
from application.audit.explaining import Explain
from application.audit.other_policy import OtherPolicy
from application.audit.state import StoredRow
from application.audit.what_if import WhatIf
from application.event_log import EventLog
from application.stored_events import CODEC
from domain.order import Order
from tests.application.stand_ins import MemoryKeys
from tests.helpers import run
from tests.proof.simulate import simulate
from tests.proof.world.world import World

PEOPLE = 80


class Erased(MemoryKeys):
    async def find(self, key_id: str) -> bytes | None:
        return None


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    logging.disable(logging.CRITICAL)  # the workers log every fault that they meet
    try:
        yield simulate("1", PEOPLE)
    finally:
        logging.disable(logging.NOTSET)


def rows(world: World) -> list[StoredRow]:
    return [
        StoredRow(position, str(stored.originator_id), stored.originator_version, stored.topic, stored.state)
        for (position, _), stored in zip(world.log.events, world.log.stored, strict=True)
    ]


def test_what_faults_leave_behind_is_no_mismatch(world: World) -> None:
    check = LogCheck(CODEC.topics)

    check.page(rows(world))
    check.finish()

    assert check.orders >= PEOPLE
    # The promotions of that world are in its directory only.
    assert [mismatch for mismatch in check.shown if mismatch.check != "promotion-known"] == []


def test_under_its_own_policy_nothing_would_have_ended_differently(world: World) -> None:
    replayed = WhatIf(OtherPolicy())

    replayed.page(rows(world))

    assert replayed.findings().differences == ()


def test_every_order_can_be_explained(world: World) -> None:
    async def explain_all(order_ids: list[UUID]) -> list[bool]:
        recorder = MemoryRecorder()
        await recorder.insert(world.log.stored)
        explain = Explain(EventLog(recorder, CODEC), Erased(), STATUS.get)
        return [await explain(order_id) is not None for order_id in order_ids]

    requested = [event.originator_id for _, event in world.log.events if isinstance(event, Order.Requested)]

    assert all(run(explain_all(requested)))

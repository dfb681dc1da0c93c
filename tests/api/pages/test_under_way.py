"""Jobs that somebody asked for are seen while they run, here and in other processes; lost read models are led to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from threading import Event

import pytest

from api.pages.operations import dead_letters as dead_letter_pages
from api.read_models import ReadModels
from application.adapters.recorders import open_recorder
from application.adapters.system import SystemClock
from application.event_log import EventLog
from application.maintenance import DEAD_LETTERS, LOG, Ending, MaintenanceLog, Wish, Wisher
from application.stored_events import CODEC
from projections.dead_letters import DeadLetters, Tried
from projections.status import Status
from tests.api.pages.browsing import Visitor, text_of
from tests.end_to_end.world import World, eventually

SignedIn = Callable[[str], Visitor]
FAY = Wisher("user:7", "the auditor asked", "req_elsewhere")


def in_another_process(world: World, subject: str, wish: Wish | None = None) -> None:
    """Somebody asked for it there; without a wish, it has ended there."""

    async def record() -> None:
        log = EventLog(open_recorder(world.settings.database_url), CODEC)
        wishes = MaintenanceLog(log, SystemClock())
        try:
            if wish is not None:
                await wishes.wish(subject, wish, FAY)
            else:
                await wishes.end(subject, FAY, Ending("done", "it is fine"))
        finally:
            await log.recorder.close()

    asyncio.run(record())


def test_a_verification_in_another_process_is_seen_to_run_until_it_ends(world: World, signed_in: SignedIn) -> None:
    fay, path = signed_in("fay"), "/console/finance/log"
    assert "is running" not in text_of(fay.get(path))

    in_another_process(world, LOG, lambda stream, when, reason: stream.request_verification(when, reason))
    text = text_of(fay.get(path))
    assert "Verification is running in another process Asked for by user:7" in text
    assert "the auditor asked" in text

    in_another_process(world, LOG)
    page = fay.get(path)
    assert "is running" not in text_of(page)
    assert "it is fine" in text_of(page)
    assert 'hx-trigger="every 1s"' not in page.text


def test_a_retry_in_another_process_is_seen_to_run_until_it_ends(world: World, signed_in: SignedIn) -> None:
    otto, path = signed_in("otto"), "/console/operations/dead-letters"

    in_another_process(world, DEAD_LETTERS, lambda stream, when, reason: stream.request_retry(when, None, reason))
    assert "Retry is running Asked for by user:7: the auditor asked. It runs in another" in text_of(otto.get(path))

    in_another_process(world, DEAD_LETTERS)
    assert "is running" not in text_of(otto.get(path))


def test_a_retry_that_takes_longer_than_the_form_waits_is_shown_while_it_runs(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    otto, path, gate = signed_in("otto"), "/console/operations/dead-letters", Event()

    def slow(*_: object) -> list[Tried]:
        assert gate.wait(10)
        return []

    monkeypatch.setattr(dead_letter_pages, "AT_ONCE_S", 0.01)
    monkeypatch.setattr(DeadLetters, "retry", slow)
    try:
        assert otto.post(f"{path}/retry", {"reason": "the code was mended"}).code == 303
        page = otto.get(path)
        assert "Retry is running Asked for by" in text_of(page)
        assert 'hx-trigger="every 1s"' in page.text
    finally:
        gate.set()
    eventually(lambda: "is running" not in text_of(otto.get(path)))
    assert 'hx-trigger="every 1s"' not in otto.get(path).text


def test_a_read_model_without_rows_of_this_version_leads_to_its_rebuild(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = ReadModels.status

    def none_served(models: ReadModels) -> Status:
        status = read(models)
        lost = [replace(one, generation=None, rebuild_needed=True) for one in status.projections]
        return replace(status, projections=tuple(lost))

    monkeypatch.setattr(ReadModels, "status", none_served)
    otto = signed_in("otto")

    page = otto.get("/console/operations/projections").text
    assert 'href="/console/operations/projections/revenue"' in page
    assert 'href="/console/operations/projections/open_work"' not in page  # it lies in the control database for good
    assert "Rebuild" in text_of(otto.get("/console/operations/projections/revenue"))

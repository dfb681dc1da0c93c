"""Whatever goes wrong inside is told as a request id, and the log holds no text that may have been submitted."""

from __future__ import annotations

import logging
import re

import pytest
from fastapi import FastAPI, HTTPException, Query

from api import errors
from api.envelope import new_request_id
from api.errors import ApiError
from application.ports import DirectoryUnavailable
from tests.api.serving import send, serving
from tests.api.world import Api, a_body

CANARY = "canary-4111111111111111"


def test_a_crash_shows_nothing_but_the_request_id_which_the_log_has_too(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    api.world.outcome = RuntimeError(CANARY)
    with caplog.at_level(logging.ERROR):
        answered = api.pay(a_body())
    assert (answered.code, answered.status) == (500, "application-crash")
    assert answered.json["data"] is None
    assert answered.json["request_id"] in caplog.text
    assert "RuntimeError" in caplog.text
    assert CANARY not in caplog.text + answered.body.decode()


def test_a_directory_that_fails_once_the_route_is_known_is_a_crash(api: Api) -> None:
    api.world.outcome = DirectoryUnavailable()
    assert api.pay(a_body()).status == "application-crash"


def test_a_directory_that_fails_before_is_told_apart(api: Api) -> None:
    api.world.directory_fails = True
    answered = api.pay(a_body())
    assert (answered.code, answered.status) == (500, "identify-request-error")


def test_request_ids_are_26_characters_of_base32_and_never_the_same() -> None:
    ids = {new_request_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch("req_[a-z2-7]{26}", request_id) for request_id in ids)


def test_what_the_web_framework_refuses_is_answered_in_the_same_shape() -> None:
    app = FastAPI()
    errors.install(app)

    @app.get("/reading")
    async def reading(limit: int = Query(le=200)) -> int:
        return limit

    @app.get("/refusing/{code}")
    async def refusing(code: int) -> None:
        raise HTTPException(code, detail=CANARY)

    @app.get("/overloaded")
    async def overloaded() -> None:
        raise ApiError("server-overloaded")

    with serving(app) as port:
        assert send(port, "GET", "/reading").fault == ("missing-param", "limit")
        wrong = send(port, "GET", f"/reading?limit={CANARY}")
        assert wrong.fault == ("invalid-param", "limit")
        assert CANARY not in wrong.body.decode()
        statuses = [send(port, "GET", f"/refusing/{code}").status for code in (404, 405, 413, 418)]
        assert statuses == ["route-non-existent", "route-non-existent", "invalid-encoded-params", "application-crash"]
        busy = send(port, "GET", "/overloaded")
        assert (busy.code, busy.headers["Retry-After"]) == (503, "1")

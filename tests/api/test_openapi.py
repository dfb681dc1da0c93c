"""The description says what the server does: its examples are held against its own schemas, and so are real answers."""

from __future__ import annotations

from typing import Any

import pytest

from api.openapi_examples import ANSWER_EXAMPLES, REQUEST_EXAMPLE
from api.pay_and_submit.reading import read_params
from api.pay_and_submit.route import PATH
from api.schemas import PayAndSubmitAnswer
from api.statuses import STATUSES
from tests.api.serving import send
from tests.api.world import ADA, NORA, Api, a_body


@pytest.fixture(scope="module")
def described(server: Api) -> dict[str, Any]:
    return send(server.port, "GET", "/openapi.json").json


@pytest.fixture(scope="module")
def operation(described: dict[str, Any]) -> dict[str, Any]:
    post: dict[str, Any] = described["paths"][PATH]["post"]
    return post


def test_it_is_openapi_3_1_and_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    found = list(references(described))
    assert found
    for reference in found:
        assert reference.startswith("#/components/schemas/")
        assert reference.rpartition("/")[2] in described["components"]["schemas"]


def test_every_status_has_an_example_under_its_http_code(operation: dict[str, Any]) -> None:
    shown = {
        (slug, int(code), example["value"]["status"], example["value"]["code"])
        for code, response in operation["responses"].items()
        for slug, example in response["content"]["application/json"]["examples"].items()
    }
    assert shown == {(s.slug, s.code, s.slug, s.code) for s in STATUSES.values()}
    assert len(shown) == 26


@pytest.mark.parametrize("slug", sorted(STATUSES))
def test_every_example_of_an_answer_fits_the_schema_of_answers(slug: str) -> None:
    content = ANSWER_EXAMPLES[slug].content()
    PayAndSubmitAnswer.model_validate(content)
    assert ("error" in content) == (slug != "action-successful")


def test_the_example_of_a_request_is_valid() -> None:
    reading = read_params(REQUEST_EXAMPLE)
    assert (reading.missing, reading.invalid) == (None, None)


def test_real_answers_fit_the_schema(api: Api) -> None:
    for body in (a_body(), {"token": NORA}, {"token": "x"}, {}, a_body(session_view="default", application_view="x")):
        answer = api.pay(body).json
        if answer["data"] and "order" in answer["data"]:
            del answer["data"]["order"]  # what this world renders is no order
        PayAndSubmitAnswer.model_validate(answer)


def test_every_parameter_of_the_reference_page_is_described(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert set(schemas["PayAndSubmitParams"]["properties"]) == {
        "view", "payment_method_id", "promotion_code", "order", "token", "application_view", "application",
        "session_view",
    }  # fmt: skip
    assert set(schemas["OrderParams"]["properties"]) == {
        "client", "primary_service", "add_on_services", "property_info", "property_access", "appointments", "notes",
        "metadata",
    }  # fmt: skip
    assert schemas["PayAndSubmitParams"]["required"] == ["order"]
    assert schemas["PropertyAccess"]["required"] == ["vacant", "method_of_access", "onsite_contact_phone"]
    assert schemas["Appointment"]["properties"]["start_datetime"]["format"] == "date-time"


def test_token_and_idempotency_key_are_described(described: dict[str, Any], operation: dict[str, Any]) -> None:
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert operation["security"] == [{"token": []}, {}]
    assert operation["parameters"][0]["name"] == "Idempotency-Key"
    assert "Retry-After" in operation["responses"]["429"]["headers"]
    assert set(operation["requestBody"]["content"]) == {"application/json", "text/plain"}


def test_the_docs_page_needs_nothing_from_elsewhere(api: Api) -> None:
    page = send(api.port, "GET", "/docs")
    assert page.code == 200
    assert "http" not in page.body.decode().replace("<!doctype html>", "")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for name, media_type in [
        ("swagger-ui-bundle.js", "text/javascript"),
        ("swagger-ui.css", "text/css"),
        ("start.js", "text/javascript"),
    ]:
        asset = send(api.port, "GET", f"/docs/{name}")
        assert asset.code == 200
        assert asset.headers["Content-Type"].startswith(media_type)
        assert f"docs/{name}" in page.body.decode()


def test_the_description_holds_no_token_that_opens_anything_here(api: Api) -> None:
    assert ADA not in send(api.port, "GET", "/openapi.json").body.decode()


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for inner in node.values() for found in references(inner)]
    if isinstance(node, list):
        return [found for inner in node for found in references(inner)]
    return []

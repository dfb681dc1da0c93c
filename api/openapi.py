"""The description of the API (OpenAPI 3.1). pay_and_submit reads raw bodies, so its parameters are added here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.envelope import Envelope
from api.openapi_examples import ANSWER_EXAMPLES, REQUEST_EXAMPLE
from api.pay_and_submit.params import PayAndSubmitParams
from api.pay_and_submit.route import PATH
from api.schemas import PayAndSubmitAnswer
from api.statuses import STATUSES

_COMPONENTS = "#/components/schemas/"
_HEADERS = {
    "X-Request-Id": {"description": "Names the request in our log; also request_id.", "schema": {"type": "string"}},
}
_RETRY_AFTER = {"description": "Seconds until it makes sense to ask again.", "schema": {"type": "integer"}}
_REPLAYED = {
    "description": "`true` where the answer is that of an earlier request with the same Idempotency-Key.",
    "schema": {"type": "string", "const": "true"},
}


def describe(app: FastAPI) -> None:
    """Have the app describe itself in full. Call it once all routes are there."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _description(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _description(app: FastAPI) -> dict[str, Any]:
    described = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
    )
    components = described.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model, mode in ((PayAndSubmitParams, "validation"), (PayAndSubmitAnswer, "serialization")):
        schemas.update(_schemas(model, mode))
    components.setdefault("securitySchemes", {})["token"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a session or of an application. It may come in the body as `token` instead.",
    }
    if PATH in described["paths"]:
        described["paths"][PATH]["post"] |= _pay_and_submit()
    return described


def _schemas(model: type[BaseModel], mode: Any) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=_COMPONENTS + "{model}", mode=mode)
    return {**schema.pop("$defs", {}), model.__name__: schema}


def _pay_and_submit() -> dict[str, Any]:
    return {
        "description": (
            "One call pays for an order and submits it. Checks run in a fixed order and the first that fails answers; "
            "`error.param` names the parameter at fault and no answer repeats a submitted value."
        ),
        "security": [{"token": []}, {}],  # the body may carry the token instead
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Makes a repeat safe: the same key with the same body is answered with how it ended.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }
        ],
        "requestBody": {
            "required": True,
            "description": (
                "At most 64 KiB of JSON. Only where the directory's record of this route says sensitive_params, "
                "the JSON comes base64-encoded as text/plain, and then application/json is invalid-content-type."
            ),
            "content": {
                "application/json": {
                    "schema": {"$ref": _COMPONENTS + PayAndSubmitParams.__name__},
                    "example": REQUEST_EXAMPLE,
                },
                "text/plain": {
                    "schema": {"type": "string", "contentEncoding": "base64", "contentMediaType": "application/json"}
                },
            },
        },
        "responses": _responses(),
    }


def _responses() -> dict[str, Any]:
    """One response per HTTP code; each status it can carry is an example of it."""
    responses: dict[str, Any] = {}
    for status in sorted(STATUSES.values(), key=lambda status: status.code):
        envelope = ANSWER_EXAMPLES[status.slug]
        response = responses.setdefault(str(status.code), _response(status.code))
        response["content"]["application/json"]["examples"][status.slug] = _example(envelope)
        if "Retry-After" in envelope.headers():
            response["headers"]["Retry-After"] = _RETRY_AFTER
    for response in responses.values():
        response["description"] = ", ".join(response["content"]["application/json"]["examples"])
    return responses


def _response(code: int) -> dict[str, Any]:
    headers: dict[str, Any] = dict(_HEADERS)
    if code in {200, 400, 500}:
        headers["Idempotency-Replayed"] = _REPLAYED
    if code == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string", "const": "Bearer"}}
    schema = {"$ref": _COMPONENTS + PayAndSubmitAnswer.__name__}
    return {"headers": headers, "content": {"application/json": {"schema": schema, "examples": {}}}}


def _example(envelope: Envelope) -> Mapping[str, Any]:
    content = envelope.content()
    return {"summary": content["message"], "value": content}

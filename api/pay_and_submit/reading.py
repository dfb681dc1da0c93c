"""From the raw body to its parameters, or to the first fault as a path and a slug: never as a value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from pydantic import ValidationError

from api.pay_and_submit.params import PayAndSubmitParams

# A key that looks like the name of a parameter is named in the answer; any other may be anything, so its parent is.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

_DETAILS: Mapping[str, str] = {
    "extra_forbidden": "unknown-parameter",
    "string_too_long": "too-long",
    "too_long": "too-long",
    "string_too_short": "too-short",
    "literal_error": "unknown-value",
    "greater_than": "out-of-range",
    "greater_than_equal": "out-of-range",
    "less_than": "out-of-range",
    "less_than_equal": "out-of-range",
    "multiple_of": "out-of-range",
    "out-of-range": "out-of-range",
    "not-allowed": "not-allowed",
}


class Fault(msgspec.Struct, frozen=True):
    param: str
    detail: str


class Reading(msgspec.Struct, frozen=True):
    """What the shape alone tells: `params` where nothing is wrong, else the first of each kind of fault."""

    params: PayAndSubmitParams | None = None
    missing: str | None = None
    invalid: Fault | None = None


def read_params(raw: Mapping[str, Any]) -> Reading:
    """Check the shape of a body. An order without any service misses `order.primary_service`."""
    missing = "order.primary_service" if _orders_nothing(raw) else None
    try:
        return Reading(params=PayAndSubmitParams.model_validate(raw), missing=missing)
    except ValidationError as refused:
        errors = refused.errors(include_url=False, include_input=False, include_context=False)
    paths = [(path_of(error["loc"]), error["type"]) for error in errors]
    return Reading(
        missing=missing or next((path for path, kind in paths if kind == "missing"), None),
        invalid=next((Fault(path, _detail(kind)) for path, kind in paths if kind != "missing"), None),
    )


def path_of(location: Sequence[int | str]) -> str:
    """A path as `order.add_on_services[0].slug`, cut before the first key that does not look like a name."""
    path = ""
    for step in location[:-2] if location[-1:] == ("[key]",) else location:  # the fault is the key itself
        if isinstance(step, int):
            path += f"[{step}]"
        elif _NAME.fullmatch(step):
            path += f".{step}" if path else step
        else:
            break
    return path


def _orders_nothing(raw: Mapping[str, Any]) -> bool:
    order = raw.get("order")
    return isinstance(order, dict) and "primary_service" not in order and order.get("add_on_services", []) == []


def _detail(kind: str) -> str:
    return _DETAILS.get(kind) or ("wrong-type" if kind.endswith("_type") else "malformed")

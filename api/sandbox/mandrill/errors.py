"""Mandrill's errors: one JSON shape, told apart by `name` and the HTTP status (the codes collide)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

# name → (HTTP status, code), as the API's reference lists them
ERRORS: Final = {
    "Invalid_Key": (401, -1),
    "PaymentRequired": (402, -1),
    "Unknown_Message": (404, 4),
    "ValidationError": (400, -2),
    "TooManyRequests": (429, -1),
    "GeneralError": (500, -99),
    "ServiceUnavailable": (503, -1),
}


class MandrillError(Exception):
    """A request that is answered with an error object. `name` is a key of ERRORS."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name)
        self.name = name
        self.message = message

    def response(self) -> web.Response:
        http_status, code = ERRORS[self.name]
        body = {"status": "error", "code": code, "name": self.name, "message": self.message}
        return web.json_response(body, status=http_status)


def invalid(message: str) -> MandrillError:
    return MandrillError("ValidationError", f"Validation error: {message}")

"""Every answer of the API: its slug, its HTTP code and what it says to people.

The slugs and most codes are those of the published reference page. The page gives no code for the uncommon answers;
those were chosen here, and so were the two last ones, which every public service needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REGISTER_PATH = "/api/v1/users/client_register"


@dataclass(frozen=True)
class Status:
    slug: str
    code: int  # HTTP status code
    message: str  # for people; never holds anything that was submitted


_ALL = (
    Status("action-successful", 200, "Done. What the request returns is under data."),
    Status("invalid-promotion", 400, "This promotion code cannot be used: it is unknown, not active, or not for you."),
    Status("promotion-expended", 400, "You have used this promotion already, or another order of yours holds it now."),
    Status("declined-payment", 400, "The card was declined. Nothing was charged."),
    Status("card-number-invalid", 400, "The payment method does not hold a valid card number. Nothing was charged."),
    Status("failed-payment", 400, "The payment method could not be charged. Nothing was charged."),
    Status("card-expired", 400, "The card has expired. Nothing was charged."),
    Status("external-application-error", 400, "The payment gateway gave no plain answer; error.detail says more."),
    Status("invalid-payment-processor-api-keys", 500, "The payment gateway refuses our own keys. Nothing was charged."),
    Status("invalid-token", 401, "The authentication token is not valid."),
    Status("session-expired", 401, "The session has ended. Please sign in again."),
    Status(
        "client-required",
        401,
        f"Your account is not registered as a client yet. Register at {REGISTER_PATH}, then try again.",
    ),
    Status("missing-param", 400, "A required parameter was not passed; error.param names it."),
    Status("invalid-param", 400, "A parameter has a value that cannot be right; error.param names it."),
    Status("application-crash", 500, "Something went wrong on our side. Please try again later."),
    Status(
        "mandrill-email-failed",
        500,
        "The order is paid and submitted, but its confirmation email could not be sent. Do not order again.",
    ),
    Status("invalid-content-type", 400, "The Content-Type header does not let the parameters be read."),
    Status("route-non-existent", 500, "There is no such route."),
    Status(
        "duplicate-payment",
        400,
        "The same thing was paid moments ago, or an earlier payment for it is still open; see data.order.",
    ),
    Status("no-params-decoded", 400, "The request body holds no parameters."),
    Status("invalid-encoded-params", 400, "The request body could not be decoded; error.detail says why."),
    Status("route-not-found", 404, "This route is not deployed."),
    Status("identify-request-error", 500, "Something went wrong before the route was known. Please try again later."),
    Status("service-not-found", 404, "The API service of this route is not deployed."),
    Status("rate-limit-exceeded", 429, "Too many requests. Please wait as long as the Retry-After header says."),
    Status("server-overloaded", 503, "The service is busy and did not start on the request. Please try again shortly."),
)

STATUSES: Mapping[str, Status] = {status.slug: status for status in _ALL}

SUCCESS = "action-successful"

_DETAIL_MESSAGES: Mapping[str, str] = {
    "payment-outcome-unknown": (
        "It is not known yet whether the payment went through. Do not pay again: "
        "GET /api/v1/orders/{id} with the id of data.order shows the outcome as soon as it is known."
    ),
    "payment-held-for-review": (
        "The payment is held for review. Do not pay again: "
        "GET /api/v1/orders/{id} with the id of data.order shows how the review ended."
    ),
    "gateway-unreachable": "The payment gateway could not be reached. Nothing was charged; you may try again at once.",
    "not-sent-in-time": "The payment was not sent in time. Nothing was charged; you may try again at once.",
    "gateway-error": "The payment gateway answered with an error. Nothing was charged.",
    "payment-expired": "The payment was never found at the gateway and was given up. You may try again.",
}


def message_for(status: Status, detail: str | None) -> str:
    """What to tell people: a gateway trouble has a text of its own per detail, the rest one per status."""
    if status.slug == "external-application-error" and detail is not None:
        return _DETAIL_MESSAGES.get(detail, status.message)
    return status.message

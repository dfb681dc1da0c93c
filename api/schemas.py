"""The answers as models: what the API description says of them, and what tests hold real answers against."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.statuses import STATUSES


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class GatewayInfo(_Answer):
    """What the payment gateway answered, as its own codes."""

    response_code: str | None = Field(description="1 approved, 2 declined, 3 error, 4 held for review.")
    reason_code: str | None


class ErrorInfo(_Answer):
    param: str | None = Field(
        description="The parameter at fault, as a path.", examples=["order.add_on_services[0].slug"]
    )
    detail: str | None = Field(description="A slug that narrows the status down.")
    gateway: GatewayInfo | None
    retry_after_seconds: int | None


class SessionRole(_Answer):
    role: str
    client_id: int | None = Field(None, description="Of the role client.")


class SessionView(_Answer):
    """Never holds the token."""

    user_id: int
    first_name: str
    last_name: str
    designation: str | None
    roles: list[SessionRole]
    created_at: str
    last_used_at: str
    expires_at: str | None = Field(description="Null for a session that is remembered.")
    remember_me: bool
    email: str | None = Field(None, description="In the view session_read.")


class ApplicationView(_Answer):
    slug: str
    name: str
    roles: list[str] = Field(description="The roles it serves.")
    permissions: list[str]


class OrderClient(_Answer):
    id: int
    name: str | None = Field(description="Null once the client's personal data has been erased.")


class OrderLine(_Answer):
    slug: str
    name: str
    kind: Literal["primary", "add_on"]
    quantity: int
    base_price_cents: int
    discount_cents: int
    net_price_cents: int


class OrderPromotion(_Answer):
    code: str
    discount_cents: int


class OrderPayment(_Answer):
    state: Literal[
        "attempted", "unknown", "held", "charged", "declined", "failed", "not_sent", "expired", "voided", "refunded",
        "waived",
    ]  # fmt: skip
    reason: str | None
    payment_method_id: int | None
    brand: str | None
    last4: str | None
    amount_cents: int
    invoice_number: str | None
    transaction_id: str | None
    authorization_code: str | None


class OrderEmail(_Answer):
    state: Literal["sent", "pending", "failed"]


class OrderInfo(BaseModel):
    """The order in its default view. `order_read` and `order_receipt` add fields; a receipt leaves some out."""

    model_config = ConfigDict(extra="allow", strict=True)

    id: str
    number: str
    state: Literal[
        "refused", "payment_open", "payment_held", "declined", "payment_failed", "payment_expired", "submitted",
        "voided", "refunded",
    ]  # fmt: skip
    client: OrderClient
    lines: list[OrderLine]
    subtotal_cents: int
    discount_cents: int
    total_cents: int
    currency: str
    promotion: OrderPromotion | None
    payment: OrderPayment | None
    email: OrderEmail | None = None
    requested_at: str
    submitted_at: str | None
    version: int | None = None


class PayAndSubmitData(_Answer):
    order: OrderInfo | None = Field(None, description="There wherever an order exists, also in an error.")
    position: int | None = Field(None, description="Of the last event written; pass it as min_position when reading.")
    register_at: str | None = Field(None, description="With client-required: where to register as a client.")


class PayAndSubmitAnswer(_Answer):
    """Every answer of pay_and_submit. `error` is absent on success only."""

    status: str = Field(json_schema_extra={"enum": list(STATUSES)})
    code: int = Field(description="The HTTP status code.")
    message: str = Field(description="For people; may change.")
    data: PayAndSubmitData | None
    request_id: str = Field(pattern="^req_[a-z2-7]{26}$")
    error: ErrorInfo | None = None
    session: SessionView | None = Field(
        None, description="There with session_view, and with client-required. Null for the token of an application."
    )
    application: ApplicationView | None = Field(None, description="There with application_view.")

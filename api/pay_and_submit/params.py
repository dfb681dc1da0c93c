"""The parameters of the request, strictly: what is not listed here is refused, and no value changes its type.

Fields stand in the order of the reference page, which is also the order in which faults are reported. Null counts as
not passed; nulls are gone before these models see a body.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from api.pay_and_submit.text import Email, IsoDate, IsoDatetime, Line, Prose, Slug

MAX_ADD_ONS = 20
MAX_APPOINTMENTS = 10

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Halves = Annotated[float, Field(ge=0, le=1000, multiple_of=0.5)]
MetadataKey = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_]{1,60}$")]
MetadataValue = Annotated[str, Field(max_length=255)]


class _Params(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Client(_Params):
    """The client the order is for."""

    id: Id | None = Field(None, description="Left out: the requesting user's own client.")


class Service(_Params):
    """A service to order."""

    slug: Slug = Field(description="Slug of the service in the catalog.")
    quantity: Id = Field(description="One of the quantities that the catalog prices.")
    service_instructions: Prose | None = None


class AddOnService(Service):
    """A further service; no slug may come twice."""

    previous_order_id: Slug | None = Field(
        None, description="Id of an earlier order of the client, where the catalog says that the service needs it."
    )


class Address(_Params):
    street: Line
    street2: Line | None = None
    city: Line
    province: Line = Field(description="For example us_co.", examples=["us_co"])
    postal_code: Line = Field(description="Text: leading zeros matter.", examples=["02134"])


class PropertyInfo(_Params):
    """The property the order is for."""

    price: Count | None = Field(None, description="Whole dollars.")
    sqft: Count | None = None
    bedrooms: Count | None = None
    bathrooms: Halves | None = Field(None, description="Halves are allowed.")
    property_id: Line | None = Field(None, description="The client's own id of the property.")
    property_type: Literal["single_family", "condo_townhouse", "duplex_townhouse", "commercial", "land"] | None = None
    address: Address


class PropertyAccess(_Params):
    """How to enter the property. An occupied property takes `no_access_needed`."""

    vacant: bool
    method_of_access: Literal["lockbox_code", "keypad", "rently", "no_access_needed"]
    access_code: Line | None = Field(None, validate_default=True, description="Required for lockbox_code and keypad.")
    lockbox_location: Line | None = Field(None, validate_default=True, description="Required for lockbox_code.")
    onsite_contact_name: Line | None = None
    onsite_contact_phone: Line
    onsite_contact_email: Email | None = None
    preferred_date: IsoDate | None = None

    @field_validator("method_of_access")
    @classmethod
    def _occupied_takes_no_access_needed(cls, method: str, info: ValidationInfo) -> str:
        if info.data.get("vacant") is False and method != "no_access_needed":
            raise PydanticCustomError("not-allowed", "an occupied property takes no_access_needed")
        return method

    @field_validator("access_code")
    @classmethod
    def _code_opens_lockbox_and_keypad(cls, code: str | None, info: ValidationInfo) -> str | None:
        if code is None and info.data.get("method_of_access") in {"lockbox_code", "keypad"}:
            raise PydanticKnownError("missing")
        return code

    @field_validator("lockbox_location")
    @classmethod
    def _lockbox_is_somewhere(cls, location: str | None, info: ValidationInfo) -> str | None:
        if location is None and info.data.get("method_of_access") == "lockbox_code":
            raise PydanticKnownError("missing")
        return location


class Appointment(_Params):
    """A wished appointment: ISO 8601 with offset, the end after the start."""

    start_datetime: IsoDatetime
    end_datetime: IsoDatetime
    duration: Annotated[float, Field(gt=0, le=24)] | None = Field(None, description="Hours.")

    @field_validator("end_datetime")
    @classmethod
    def _ends_after_it_starts(cls, end: str, info: ValidationInfo) -> str:
        start = info.data.get("start_datetime")
        if start is not None and datetime.fromisoformat(end) <= datetime.fromisoformat(start):
            raise PydanticCustomError("out-of-range", "the end is not after the start")
        return end


class OrderParams(_Params):
    """The order. It holds at least one service."""

    client: Client | None = Field(None, description="Required where the requester has no client of its own.")
    primary_service: Service | None = Field(None, description="The main service. Required without add_on_services.")
    add_on_services: Annotated[list[AddOnService], Field(max_length=MAX_ADD_ONS)] | None = None
    property_info: PropertyInfo
    property_access: PropertyAccess | None = Field(
        None, description="Required where an ordered service needs access to the property."
    )
    appointments: Annotated[list[Appointment], Field(max_length=MAX_APPOINTMENTS)] | None = None
    notes: Prose | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=4)] | None = None


class PayAndSubmitParams(_Params):
    """The body of pay_and_submit. A null parameter counts as not passed."""

    view: Literal["default", "order_read", "order_receipt"] | None = Field(
        None, description="Which view of the order is returned."
    )
    payment_method_id: Id | None = Field(None, description="Left out: the client's default payment method.")
    promotion_code: Slug | None = None
    order: OrderParams
    token: str | None = Field(
        None,
        description="Token of a session or an application. Required, unless it comes as `Authorization: Bearer`.",
    )
    application_view: Literal["default", "application_read"] | None = Field(
        None, description="Have the application returned, in this view."
    )
    application: Slug | None = Field(
        None,
        description="Slug of the application acted through; it decides the role. Left out: planoorder.",
        examples=["planoauth", "planoorder", "planox2"],
    )
    session_view: Literal["default", "session_read"] | None = Field(
        None, description="Have the session returned, in this view."
    )

"""The obvious build: the same packages as they ship, put together as their documentation shows.

FastAPI with a plain function in its thread pool, eventsourcing with its own recorders, the SDK's controller for the
charge, the official client for the mail. It does less than the product: no directory, no encryption, no recovery.
"""

from __future__ import annotations

import os
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import mailchimp_transactional
from authorizenet import apicontractsv1
from authorizenet.apicontrollers import createTransactionController
from authorizenet.constants import constants
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from tests.benchmarks.example import PATH
from tests.benchmarks.obvious_domain import Orders
from tests.benchmarks.vendors import CHARGE_PATH, MAIL_BASE

PRICES_CENTS: Final = {1: 4000, 3: 6500, 4: 7500, 5: 8500}


class Service(BaseModel):
    slug: str
    quantity: int
    service_instructions: str | None = None


class OrderParams(BaseModel):
    primary_service: Service
    property_info: dict[str, Any]
    property_access: dict[str, Any] | None = None


class Params(BaseModel):
    token: str
    promotion_code: str
    order: OrderParams


def create() -> FastAPI:
    """For uvicorn: everything comes in the environment."""
    app = FastAPI()
    orders = Orders(env=store_settings(os.environ["OBVIOUS_DATABASE"]))
    vendors_url = os.environ["VENDORS_URL"]
    # Every constructor of a controller sets the address, which all of them share, back to this one. So must we: in a
    # thread pool another order's charge could go to the vendor's real test system.
    constants.SANDBOX = vendors_url + CHARGE_PATH
    mail = mailchimp_transactional.Client("key")
    mail.api_client.host = vendors_url + MAIL_BASE

    @app.post(PATH)
    def pay_and_submit(params: Params) -> dict[str, Any]:
        service, invoice_number = params.order.primary_service, uuid4().hex[:20]
        address = params.order.property_info["address"]
        lines = [{"slug": service.slug, "quantity": service.quantity, "price_cents": PRICES_CENTS[service.quantity]}]
        try:
            order, redemption, window = orders.request(
                user=params.token,
                code=params.promotion_code,
                thing=f"{params.token}/{service.slug}/{service.quantity}/{address}",
                lines=lines,
                personal=params.order.model_dump(),
                invoice=invoice_number,
            )
        except ValueError as refused:
            raise HTTPException(400, str(refused)) from refused
        transaction_id, code = _charge(vendors_url + CHARGE_PATH, invoice_number, order.total_cents)
        orders.charged(order, redemption, window, transaction_id, code)
        sent = mail.messages.send({"message": _message(f"Order {order.id}: {order.total_cents} cents")})[0]
        orders.emailed(order, sent["_id"], sent["status"])
        return {"status": "action-successful", "data": {"order": {"id": str(order.id), "lines": lines}}}

    return app


def store_settings(database: str) -> dict[str, str]:
    """What eventsourcing takes from the environment, for an SQLite file or a PostgreSQL URL with a socket's folder."""
    if not database.startswith("postgresql://"):
        return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": database}
    url = urlsplit(database)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": url.path.removeprefix("/"),
        "POSTGRES_HOST": parse_qs(url.query).get("host", [url.hostname or ""])[0],
        "POSTGRES_PORT": str(url.port or 5432),
        "POSTGRES_USER": url.username or "postgres",
        "POSTGRES_PASSWORD": url.password or "unused",
    }


def _charge(url: str, invoice_number: str, amount_cents: int) -> tuple[str, str]:
    request = apicontractsv1.createTransactionRequest()
    request.merchantAuthentication = apicontractsv1.merchantAuthenticationType(name="login", transactionKey="key")
    request.refId = invoice_number
    profile = apicontractsv1.customerProfilePaymentType(customerProfileId="910000001")
    profile.paymentProfile = apicontractsv1.paymentProfile(paymentProfileId="800000001")
    request.transactionRequest = apicontractsv1.transactionRequestType(
        transactionType="authCaptureTransaction",
        amount=f"{amount_cents / 100:.2f}",
        profile=profile,
        order=apicontractsv1.orderType(invoiceNumber=invoice_number, description="Order"),
    )
    controller = createTransactionController(request)
    controller.setenvironment(url)
    controller.execute()
    answer = controller.getresponse()
    if answer is None or answer.messages.resultCode != "Ok" or answer.transactionResponse.responseCode != 1:
        raise HTTPException(502, "the charge failed")
    return str(answer.transactionResponse.transId), str(answer.transactionResponse.authCode)


def _message(text: str) -> dict[str, Any]:
    return {
        "from_email": "orders@example.com",
        "to": [{"email": "client@example.com", "type": "to"}],
        "subject": "Your order",
        "text": text * 10,
        "html": f"<p>{text}</p>" * 20,
    }

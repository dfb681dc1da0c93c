"""OrphanCharge: a charge at the gateway that no order names. It is recorded and taken back."""

from __future__ import annotations

from datetime import datetime

from domain.stream import Metadata, Stream


class OrphanCharge(Stream):
    """One per transaction id."""

    class Event(Stream.Event):
        pass

    class Found(Event):
        TOPIC = "orphan-charge.found.v1"

        transaction_id: str
        invoice_number: str | None
        amount_cents: int
        status: str  # the gateway's own word
        submitted_at: datetime

        def apply(self, orphan: OrphanCharge) -> None:
            orphan.found = self

    class VoidRequested(Event):
        TOPIC = "orphan-charge.void-requested.v1"

        def apply(self, orphan: OrphanCharge) -> None:
            orphan.void_requested = True

    class RefundRequested(Event):
        TOPIC = "orphan-charge.refund-requested.v1"

        refund_invoice_number: str

        def apply(self, orphan: OrphanCharge) -> None:
            orphan.refund_invoice_number = self.refund_invoice_number
            orphan.refund_requested_at = self.timestamp

    class TakenBack(Event):
        """The gateway's details show that no money is kept any more."""

        TOPIC = "orphan-charge.taken-back.v1"

        how: str  # voided | refunded | declined | ...

        def apply(self, orphan: OrphanCharge) -> None:
            orphan.is_taken_back = True

    def __init__(self) -> None:
        self.found: OrphanCharge.Found | None = None
        self.void_requested = False
        self.refund_invoice_number: str | None = None
        self.refund_requested_at: datetime | None = None
        self.is_taken_back = False

    def find(
        self,
        metadata: Metadata,
        *,
        transaction_id: str,
        invoice_number: str | None,
        amount_cents: int,
        status: str,
        submitted_at: datetime,
    ) -> None:
        if self.found is None:
            self.record(
                metadata,
                self.Found,
                transaction_id=transaction_id,
                invoice_number=invoice_number,
                amount_cents=amount_cents,
                status=status,
                submitted_at=submitted_at,
            )

    def request_void(self, metadata: Metadata) -> None:
        if self.found and not self.void_requested and not self.is_taken_back:
            self.record(metadata, self.VoidRequested)

    def request_refund(self, metadata: Metadata, refund_invoice_number: str, after: datetime | None = None) -> None:
        """`after`: a request made before then is given up as never received, and made anew."""
        if self.found is None or self.is_taken_back:
            return
        asked_at = self.refund_requested_at
        if asked_at is None or (after is not None and asked_at < after):
            self.record(metadata, self.RefundRequested, refund_invoice_number=refund_invoice_number)

    def record_taken_back(self, metadata: Metadata, how: str) -> None:
        if self.found and not self.is_taken_back:
            self.record(metadata, self.TakenBack, how=how)

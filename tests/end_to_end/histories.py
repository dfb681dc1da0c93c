"""What the log holds after each ending of the money path: topics without their version, in the order of writing."""

from __future__ import annotations

INTENT = ("order.requested", "order.payment-attempted", "duplicate-window.opened")
CHARGED = ("order.payment-charged", "order.submitted", "duplicate-window.closed")
REFUSED = ("order.requested", "order.refused")
DECLINED = (*INTENT, "order.payment-declined", "duplicate-window.closed")
FAILED = (*INTENT, "order.payment-failed", "duplicate-window.closed")
NOT_SENT = (*INTENT, "order.payment-not-sent", "duplicate-window.closed")
PAID = (*INTENT, *CHARGED, "order.email-sent")

"""Pure decisions: what may happen to an order, a promotion, a payment, and what did.

Knows the standard library and `eventsourcing.domain` only; never a clock, a database or a vendor. Start at `order.py`,
then `submission.py` (the decision to accept an order) and `endings.py` (what each answer of the gateway does).
"""

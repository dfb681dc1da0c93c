"""All event types that the log may hold, and the codec that reads and writes them."""

from __future__ import annotations

from application.event_codec import EventCodec, event_classes_of
from domain.duplicate_window import DuplicateWindow
from domain.erasure import ClientErasure
from domain.maintenance import Maintenance
from domain.notification import Notification
from domain.order import Order
from domain.orphan_charge import OrphanCharge
from domain.period import Period
from domain.personal_data_access import PersonalDataAccess
from domain.promotion import Promotion, PromotionRedemption
from domain.reconciliation import Reconciliation
from domain.settlement import SettlementBatch
from domain.settlement_break import SettlementBreak

AGGREGATES = (
    Order,
    PromotionRedemption,
    DuplicateWindow,
    Promotion,
    Notification,
    OrphanCharge,
    SettlementBatch,
    SettlementBreak,
    Period,
    Maintenance,
    ClientErasure,
    PersonalDataAccess,
    Reconciliation,
)

CODEC = EventCodec(event_classes_of(*AGGREGATES))

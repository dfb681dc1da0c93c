"""Puts the reconciliation together, for the commands that run it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.bootstrap import Service, authorizenet_config
from application.adapters.authorizenet.settlements import AuthorizeNetSettlements
from application.audit.reconciliation.breaks import Breaks
from application.audit.reconciliation.reconcile import Reconcile


@asynccontextmanager
async def reconciliation(service: Service) -> AsyncIterator[Reconcile]:
    """The reconciliation of the process's log with the gateway, on connections of its own while the block lasts."""
    settlements = AuthorizeNetSettlements(authorizenet_config(service.settings))
    try:
        yield Reconcile(service.events, settlements, service.clock)
    finally:
        await settlements.close()


def breaks(service: Service) -> Breaks:
    return Breaks(service.events, service.clock)

"""How sealing stands, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from application.adapters.seals.covering import SealStatus


def seal_metrics(status: SealStatus, log_position: int, registry: CollectorRegistry) -> None:
    """Alert on `orders_sealing_stopped` and `orders_sealer_stale`."""
    position = status.last.position if status.last else 0
    for name, text, value in (
        ("orders_seal_position", "Position of the last sealed event", position),
        ("orders_seal_lag_positions", "How far the log goes beyond it", max(0, log_position - position)),
        ("orders_sealer_stale", "1 where nobody seals", int(status.stale)),
        ("orders_sealing_stopped", "1 where log or seals are not what was signed", int(status.problem is not None)),
    ):
        Gauge(name, text, registry=registry).set(value)

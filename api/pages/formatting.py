"""How the console writes money, times, ids and states. Everything that a page shows of these goes through here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup, escape

from application.times import utc_text
from domain.order import Order

NOTHING = "—"

# State → tone. A tone has a shape of its own, so that no state is told by colour alone.
_TONES: Mapping[str, str] = {
    state: tone
    for tone, states in {
        "good": "submitted charged waived sent queued scheduled resolved ok closed served sealed switched done",
        "waiting": "payment_open attempted unknown pending open building seen requested void-requested"
        " refund-requested catching-up",
        "attention": "payment_held held new attention stale rebuild-needed different left",
        "bad": "declined payment_failed failed rejected invalid broken error difference",
    }.items()
    for state in states.split()
}
_SHAPES: Mapping[str, str] = {"good": "●", "waiting": "◐", "attention": "▲", "bad": "■", "ended": "○"}
_LABELS: Mapping[str, str] = {
    "payment_open": "payment open",
    "payment_held": "held for review",
    "payment_failed": "payment failed",
    "payment_expired": "payment expired",
    "not_sent": "not sent",
    "not-sent": "not sent",
    "void-requested": "void requested",
    "refund-requested": "refund requested",
}


def money(cents: int | None, currency: str = "USD") -> str:
    """`$1,234.50`, negative as `−$5.00`; another currency is named behind the figure."""
    if cents is None:
        return NOTHING
    sign = "−" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    figure = f"{whole:,}.{rest:02}"
    return f"{sign}${figure}" if currency == "USD" else f"{sign}{figure} {currency}"


def time(at: datetime | str | None, seconds: bool = True) -> Markup | str:
    """`2026-11-23 15:31:05 UTC` as a <time> element; takes an aware datetime or ISO 8601 text."""
    if at is None or at == "":
        return NOTHING
    moment = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(UTC)
    shown = moment.strftime("%Y-%m-%d %H:%M:%S UTC" if seconds else "%Y-%m-%d %H:%M UTC")
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(utc_text(moment), shown)


def clock_time(at: datetime | str) -> Markup:
    """`15:31:05.123 UTC`, where the day is said elsewhere."""
    moment = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(UTC)
    shown = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03} UTC"
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(utc_text(moment), shown)


def day(of: date | datetime | str | None) -> str:
    """`2026-11-23`."""
    if of is None or of == "":
        return NOTHING
    if isinstance(of, str):
        of = datetime.fromisoformat(of)
    return (of.astimezone(UTC).date() if isinstance(of, datetime) else of).isoformat()


def duration(seconds: float | None) -> str:
    """`3 ms`, `1.25 s`, `2 min 5 s`, `3 h 20 min`, `4 d 2 h`."""
    if seconds is None:
        return NOTHING
    if seconds < 0.9995:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    whole = int(seconds)
    for size, name, small, small_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {name}" + (f" {rest} {small_name}" if rest else "")
    return f"{whole} s"


def count(number: int | None) -> str:
    """`1,234`."""
    return NOTHING if number is None else f"{number:,}"


def percent(part: int, whole: int) -> str:
    """`12.5 %` of a whole; nothing where there is no whole."""
    return NOTHING if whole == 0 else f"{100 * part / whole:.1f} %"


def identifier(value: object, chars: int = 0) -> Markup | str:
    """An id in fixed-width type; `chars` cuts it to its beginning, with the whole of it in the tooltip."""
    if value is None or value == "":
        return NOTHING
    text = str(value)
    shown = text if not chars or len(text) <= chars else text[:chars] + "…"
    return Markup('<code class="id" title="{0}">{1}</code>').format(text, shown)


def words(slug: object) -> str:
    """A slug as words: `payment_open` is `payment open`."""
    text = str(slug)
    return _LABELS.get(text, text.replace("_", " ").replace("-", " "))


def tone(state: object) -> str:
    """good, waiting, attention, bad or ended."""
    return _TONES.get(str(state), "ended")


def state(value: object, label: str | None = None) -> Markup | str:
    """A state as a shape and words."""
    if value is None or value == "":
        return NOTHING
    kind = tone(value)
    return Markup('<span class="state state-{0}"><span class="shape" aria-hidden="true">{1}</span>{2}</span>').format(
        kind, _SHAPES[kind], escape(label or words(value))
    )


def order_number(order_id: UUID | str) -> str:
    """The short number of an order, as people read it on the receipt."""
    return Order.empty(UUID(str(order_id))).number


FILTERS: Mapping[str, Callable[..., Any]] = {
    "money": money,
    "time": time,
    "clock_time": clock_time,
    "day": day,
    "duration": duration,
    "count": count,
    "percent": percent,
    "id": identifier,
    "order_number": order_number,
    "words": words,
    "tone": tone,
    "state": state,
}

"""Charts made for reading, as SVG: pure functions from figures to markup, without scripts.

Colours come from the style sheet, by class, for light and dark. What tells series apart is never colour alone: each
`Look` has a fill of its own. Axes begin at zero and carry a unit; ticks stand on round numbers; every mark says its
figure on hovering, and a title and a description say the whole to those who cannot see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count

from markupsafe import Markup

WIDTH, HEIGHT = 1000, 334
LEFT, RIGHT, TOP, BOTTOM = 14, 84, 66, 34  # margins of a column chart, around the plot
LABELS = 10  # along the x axis, at most
WIDEST = 56.0  # pixels of one column
HEAD, ROW, NAME, VALUE = 8, 30, 250, 110  # of a bar chart: above it, a row, room for names, room for figures
NAME_CHARS = 30


class Look(StrEnum):
    """How a series is drawn; the style sheet knows `chart-<look>`."""

    SOLID = "solid"
    HATCHED = "hatched"
    OUTLINE = "outline"


@dataclass(frozen=True)
class Unit:
    """What an axis counts, and how a figure of it is written."""

    name: str
    text: Callable[[int], str]


@dataclass(frozen=True)
class Series:
    """One figure per label; those below zero are drawn downwards."""

    name: str
    values: Sequence[int]
    look: Look = Look.SOLID


@dataclass(frozen=True)
class Chart:
    """A drawing with its title, which stands above it. `newest_last`: time goes to the right, to where the axis is."""

    title: str
    svg: Markup
    newest_last: bool


@dataclass(frozen=True)
class Scale:
    """From figures to pixels: the first tick stands at `start`, the last one at `end`."""

    ticks: tuple[int, ...]
    start: float
    end: float

    def at(self, value: int) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.start + (value - low) * (self.end - self.start) / (high - low)


def round_ticks(low: int, high: int, most: int = 6) -> tuple[int, ...]:
    """At most `most` (3 or more) multiples of 1, 2 or 5 times a power of ten, from `low` or less to `high` or more.

    Zero is always among them.
    """
    low, high = min(low, 0), max(high, 0, 1 if low >= 0 else 0)
    step = next(step for step in _steps() if -(-high // step) - low // step < most)
    return tuple(range(low // step * step, -(-high // step) * step + step, step))


def _steps() -> Iterator[int]:
    for power in count():
        yield from (10**power, 2 * 10**power, 5 * 10**power)


def column_chart(name: str, title: str, labels: Sequence[str], series: Sequence[Series], unit: Unit) -> Chart:
    """One column per label, with the series stacked. `name`: the id of the chart in its page.

    The axis is at the right, beside what is newest: where the chart does not fit, that end is in view first.
    """
    ups = [sum(max(one.values[i], 0) for one in series) for i in range(len(labels))]
    downs = [sum(min(one.values[i], 0) for one in series) for i in range(len(labels))]
    scale = Scale(round_ticks(min(downs, default=0), max(ups, default=0)), HEIGHT - BOTTOM, TOP)
    band = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    parts = [
        _legend(name, series),
        Markup('<text class="chart-unit chart-tick" x="{}" y="{}">{}</text>').format(WIDTH - 4, TOP - 14, unit.name),
    ]
    for tick, text in _told(scale.ticks, unit):
        parts.append(_horizontal(scale.at(tick), text, tick))
    for i, label in enumerate(labels):
        middle = LEFT + band * (i + 0.5)
        parts += _column(
            name, label, [(one, one.values[i]) for one in series], scale, middle, min(band * 0.72, WIDEST), unit
        )
        if i % -(-len(labels) // LABELS) == 0:
            y = HEIGHT - BOTTOM + 20
            parts.append(Markup('<text class="chart-label" x="{:.1f}" y="{}">{}</text>').format(middle, y, label))
    return Chart(title, _svg(name, title, describe(labels, series, unit), HEIGHT, parts), newest_last=True)


def bar_chart(name: str, title: str, rows: Sequence[tuple[str, int]], unit: Unit, look: Look = Look.SOLID) -> Chart:
    """One bar per name, from top to bottom in the order given."""
    ticks = round_ticks(min((v for _, v in rows), default=0), max((v for _, v in rows), default=0))
    scale = Scale(ticks, NAME, WIDTH - VALUE)
    bottom = HEAD + ROW * len(rows) + 2
    parts = [_vertical(scale.at(tick), bottom, text, tick) for tick, text in _told(ticks, unit)]
    parts.append(Markup('<text class="chart-unit" x="4" y="{}">{}</text>').format(bottom + 18, unit.name))
    for i, (label, value) in enumerate(rows):
        top = HEAD + ROW * i
        left, right = sorted((scale.at(0), scale.at(value)))
        parts.append(
            Markup('<text class="chart-name" x="{}" y="{}"><title>{}</title>{}</text>').format(
                NAME - 10, top + 17, label, _short(label)
            )
        )
        parts.append(_mark(name, look, left, top + 4, right - left, ROW - 10, f"{label}: {unit.text(value)}"))
        parts.append(
            Markup('<text class="chart-value" x="{:.1f}" y="{}">{}</text>').format(
                right + 6, top + 17, unit.text(value)
            )
        )
    series = [Series(unit.name, [value for _, value in rows], look)]
    svg = _svg(name, title, describe([label for label, _ in rows], series, unit), bottom + 30, parts)
    return Chart(title, svg, newest_last=False)


def describe(labels: Sequence[str], series: Sequence[Series], unit: Unit) -> str:
    """The chart in words: the sum of each series, and where it is largest."""
    if not labels:
        return "Nothing to show."
    told = [f"{labels[0]} to {labels[-1]}, {len(labels)} in all, in {unit.name}."]
    for one in series:
        largest = max(range(len(labels)), key=lambda i: abs(one.values[i]))
        told.append(
            f"{one.name}: {unit.text(sum(one.values))} together, largest for {labels[largest]}"
            f" with {unit.text(one.values[largest])}."
        )
    return " ".join(told)


# --- pieces -----------------------------------------------------------------------------------------------------------


def _svg(name: str, title: str, description: str, height: int, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" id="{0}" viewBox="0 0 {1} {2}" width="{1}" height="{2}" role="img"'
        ' aria-labelledby="{0}-title {0}-desc" xmlns="http://www.w3.org/2000/svg">'
        '<title id="{0}-title">{3}</title><desc id="{0}-desc">{4}</desc>'
        '<defs><pattern id="{0}-hatch" width="6" height="6" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><rect class="chart-hatch-ground" width="6" height="6"/>'
        '<line class="chart-hatch-line" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>'
        "{5}</svg>"
    ).format(name, WIDTH, height, title, description, Markup("").join(parts))


def _column(
    name: str, label: str, stack: Sequence[tuple[Series, int]], scale: Scale, middle: float, width: float, unit: Unit
) -> Iterator[Markup]:
    up = down = 0
    for series, value in stack:
        if value == 0:
            continue
        base = up if value > 0 else down
        top, bottom = sorted((scale.at(base), scale.at(base + value)))
        text = f"{label}, {series.name}: {unit.text(value)}"
        yield _mark(name, series.look, middle - width / 2, top, width, bottom - top, text)
        up, down = (up + value, down) if value > 0 else (up, down + value)


def _mark(name: str, look: Look, x: float, y: float, width: float, height: float, text: str) -> Markup:
    fill = Markup(' fill="url(#{}-hatch)"').format(name) if look is Look.HATCHED else ""
    return Markup(
        '<rect class="chart-{}"{} x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
    ).format(look.value, fill, x, y, width, height, text)


def _legend(name: str, series: Sequence[Series]) -> Markup:
    widths = [46 + 7 * len(one.name) for one in series]
    x, parts = WIDTH - RIGHT - sum(widths), []
    for one, width in zip(series, widths, strict=True):
        parts.append(_mark(name, one.look, x, 8, 14, 14, one.name))
        parts.append(Markup('<text class="chart-legend" x="{}" y="20">{}</text>').format(x + 20, one.name))
        x += width
    return Markup("").join(parts)


def _horizontal(y: float, text: str, tick: int) -> Markup:
    """A line across the plot, with its figure at the right."""
    return Markup(
        '<line class="chart-{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="chart-tick" x="{}" y="{:.1f}">{}</text>'
    ).format("axis" if tick == 0 else "grid", LEFT, WIDTH - RIGHT, y, y, WIDTH - 4, y + 4, text)


def _vertical(x: float, bottom: float, text: str, tick: int) -> Markup:
    """A line down the plot, with its figure below."""
    return Markup(
        '<line class="chart-{}" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>'
        '<text class="chart-label" x="{:.1f}" y="{}">{}</text>'
    ).format("axis" if tick == 0 else "grid", x, x, HEAD - 4, bottom, x, bottom + 18, text)


def _told(ticks: Sequence[int], unit: Unit) -> list[tuple[int, str]]:
    """The ticks as they are written; cents are left out where no tick has any."""
    texts = [unit.text(tick) for tick in ticks]
    if all(text.endswith(".00") for text in texts):
        texts = [text.removesuffix(".00") for text in texts]
    return list(zip(ticks, texts, strict=True))


def _short(label: str) -> str:
    return label if len(label) <= NAME_CHARS else label[: NAME_CHARS - 1] + "…"

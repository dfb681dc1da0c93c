"""What the demo shows: a table for people, the same as data, and where to go on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from api.demo.endings import ADA, PATH, Ending, ordinary_body
from api.sandbox.servers import Sandboxes


@dataclass(frozen=True)
class Tried:
    """One ending, and what really came back."""

    ending: Ending
    code: int
    answer: dict[str, Any]
    events: tuple[str, ...]

    @property
    def detail(self) -> str | None:
        detail: str | None = (self.answer.get("error") or {}).get("detail")
        return detail

    @property
    def as_expected(self) -> bool:
        ending = self.ending
        return (
            self.answer.get("status") == ending.status
            and self.code == self.answer.get("code") == ending.code
            and ending.detail in (None, self.detail)
            and self.events == ending.events
        )


def as_data(tried: Sequence[Tried], url: str, vendors: Sandboxes) -> dict[str, Any]:
    """The table as data."""
    return {
        "as_expected": all(entry.as_expected for entry in tried),
        "endings": [
            {
                "request": entry.ending.what,
                "status": entry.answer.get("status"),
                "code": entry.code,
                "detail": entry.detail,
                "events": list(entry.events),
                "as_expected": entry.as_expected,
            }
            for entry in tried
        ],
        "urls": _urls(url, vendors),
        "curl": curl_line(url),
    }


def print_table(tried: Sequence[Tried], url: str, vendors: Sandboxes) -> None:
    """The table, then the addresses and a request to send by hand."""
    console = Console(highlight=False)
    width = None if console.is_terminal else 170
    console = Console(highlight=False, width=width)
    table = Table(title="pay_and_submit, every ending (sandbox: no real money, no real mail)", title_justify="left")
    for heading in ("", "request", "status", "HTTP", "what the log holds of the order shown"):
        table.add_column(heading, overflow="fold")
    for entry in tried:
        status = str(entry.answer.get("status")) + (f"\n  {entry.ending.detail}" if entry.ending.detail else "")
        mark = "[green]ok[/green]" if entry.as_expected else "[red]WRONG[/red]"
        table.add_row(mark, entry.ending.what, status, str(entry.code), ", ".join(entry.events) or "nothing")
    console.print(table)
    right = sum(entry.as_expected for entry in tried)
    console.print(f"{right} of {len(tried)} endings as expected\n")
    for name, address in _urls(url, vendors).items():
        console.print(f"{name:<18}{address}")
    console.print(f"\nLook at them in the browser: open {url}/console/ and sign in with one click as Ed (employee).")
    console.print("\nSend one yourself (another house number is another order):\n")
    console.print(curl_line(url), soft_wrap=True, markup=False)


def curl_line(url: str) -> str:
    """A request that is paid and submitted, ready to paste."""
    body = json.dumps(ordinary_body(100, {"token": ADA}))
    return f"curl -s {url}{PATH} -H 'Content-Type: application/json' -d '{body}'"


def _urls(url: str, vendors: Sandboxes) -> dict[str, str]:
    return {
        "API": url,
        "console": f"{url}/console/",
        "description": f"{url}/docs",
        "gateway (sandbox)": vendors.gateway.url,
        "mail (sandbox)": vendors.mail.url,
    }

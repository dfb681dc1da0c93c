"""Downloads of the journal in every format: written to a folder of its own, sent, and removed."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.bootstrap import Service
from api.pages.asking import PageQuery
from api.pages.failures import PageError, not_found
from api.pages.finance.asking import month_of, span_of
from api.pages.shell import Shell
from api.pages.viewer import FINANCE_READERS
from api.read_models import LEDGER
from projections.ledger.balances import Selection
from projections.ledger.exports.journal import count_entries
from projections.ledger.exports.writing import FORMATS, export_journal
from projections.ledger.reading import reading

MANIFEST = "manifest"
MAX_ENTRIES = 200_000  # of a download; the command line has no such limit
AT_ONCE = 1  # exports in one process: each takes a thread and reads many rows
ABOUT = {
    "csv": "CSV, for every spreadsheet",
    "xlsx": "Excel workbook",
    "parquet": "Parquet, for analysis",
    "jsonl": "JSON lines",
    "beancount": "Beancount",
    "hledger": "hledger",
    MANIFEST: "Manifest: counts, sums, SHA-256 of every format",
}


@dataclass(frozen=True)
class ExportPages:
    shell: Shell
    service: Service
    _free: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE))

    def routes(self) -> list[Route]:
        return [
            self.shell.page("/finance/exports", self.choose, FINANCE_READERS),
            self.shell.page("/finance/exports/{format}", self.download, FINANCE_READERS),
        ]

    async def choose(self, request: Request) -> Response:
        query = PageQuery(request, ("from", "to", "period"))
        span_of(query)
        return self.shell.render(
            request,
            "finance/exports.html",
            period=month_of(query.text("period")) or "",
            query=query.given,
            formats=list(ABOUT.items()),
            max_entries=MAX_ENTRIES,
        )

    async def download(self, request: Request) -> Response:
        wanted = request.path_params["format"]
        if wanted not in ABOUT:
            raise not_found("format")
        query = PageQuery(request, ("from", "to", "period"))
        period = month_of(query.text("period"))
        selection = Selection(span_of(query), period=period)
        if not self._free.acquire(blocking=False):
            raise PageError(503, "One at a time", "Another export is being written. Try again in a moment.")
        folder = Path(tempfile.mkdtemp(prefix="orders-export-"))
        try:
            name = await asyncio.to_thread(self._write, folder, wanted, selection)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            self._free.release()
        return SentOnce(folder / name, filename=f"{period or 'ledger'}-{name}")

    def _write(self, folder: Path, wanted: str, selection: Selection) -> str:
        """The name of the file. Blocks. Raises PageError."""
        formats = list(FORMATS) if wanted == MANIFEST else [wanted]
        with reading(self.service.read_models.storage, LEDGER) as (_, connection):
            if count_entries(connection, selection, MAX_ENTRIES + 1) > MAX_ENTRIES:
                raise _too_many(formats, selection)
            manifest = export_journal(connection, folder, formats, selection)
        return "manifest.json" if wanted == MANIFEST else str(manifest["files"][0]["name"])


class SentOnce(FileResponse):
    """A file that is removed with its folder however the sending ends. It is sent whole, whatever range is asked."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers["Accept-Ranges"] = "none"
        asked = [(name, value) for name, value in scope["headers"] if name not in (b"range", b"if-range")]
        try:
            await super().__call__({**scope, "headers": asked}, receive, send)
        finally:
            shutil.rmtree(Path(self.path).parent, ignore_errors=True)


def _too_many(formats: list[str], selection: Selection) -> PageError:
    span = selection.span
    options = " ".join([
        f"--format {formats[0]}" if len(formats) == 1 else "--all-formats",
        *([f"--period {selection.period}"] if selection.period else []),
        *([f"--from {span.start:%Y-%m-%d}"] if span.start else []),
        *([f"--to {span.end:%Y-%m-%d}"] if span.end else []),
    ])  # fmt: skip
    return PageError(
        400,
        "Too many entries for a download",
        f"More than {MAX_ENTRIES:,} entries are chosen. Choose a shorter range or one month, or use the command line,"
        f" which has no such limit: orders ledger export {options} --out DIR",
    )

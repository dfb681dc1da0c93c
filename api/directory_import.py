"""Imports a directory file: the terms of promotions as events, then the tables."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from api.bootstrap import Service, migrate
from api.settings import Settings
from application.adapters.directory.import_file import read_import
from application.adapters.directory.import_values import DirectoryImport, InvalidImport
from application.promotions import define_promotions

ACTOR = "operator:directory-import"
MAX_FILE_BYTES = 64 * 1024 * 1024


class ImportRefused(Exception):
    """The file was not imported, and nothing was changed; the text says what is wrong, and where."""


async def import_file(settings: Settings, file: Path) -> dict[str, Any]:
    """Import the file into the settings' databases; counts by section. Raises ImportRefused."""
    try:
        wanted = read_import(_contents(file), datetime.now(UTC))
    except InvalidImport as invalid:
        raise ImportRefused(str(invalid)) from invalid
    if settings.in_production and wanted.has_example_tokens:
        raise ImportRefused("ORDERS_ENVIRONMENT=production takes no example tokens (-example-token)")
    await migrate(settings)
    service = Service(settings)
    try:
        return await apply(service, wanted)
    finally:
        await service.close()


def _contents(file: Path) -> bytes:
    if file.stat().st_size > MAX_FILE_BYTES:
        raise ImportRefused(f"the file is larger than {MAX_FILE_BYTES // 2**20} MiB")
    return file.read_bytes()


async def apply(service: Service, wanted: DirectoryImport) -> dict[str, Any]:
    """Import a checked file through a running service. Raises ImportRefused."""
    directory = service.directory
    try:
        await directory.check_import(wanted)
        versions = {}
        if wanted.promotions is not None:
            versions = await define_promotions(
                service.events,
                service.clock,
                wanted=wanted.promotions,
                known=await directory.promotions(),
                actor=ACTOR,
                correlation_id=f"import_{uuid4().hex}",
            )
        return asdict(await directory.apply_import(wanted, versions))
    except InvalidImport as invalid:
        raise ImportRefused(str(invalid)) from invalid


def report_lines(report: dict[str, Any]) -> list[str]:
    """The counts for people, a line a section."""
    lines = [f"{'section':<18}{'added':>8}{'changed':>9}{'unchanged':>11}{'deactivated':>13}"]
    for name, counts in report["sections"].items():
        lines.append(
            f"{name:<18}{counts['added']:>8}{counts['changed']:>9}{counts['unchanged']:>11}{counts['deactivated']:>13}"
        )
    if report["withheld"]:
        lines.append(f"not taken: {report['withheld']} records of clients whose personal data was erased")
    return [*lines, f"catalog version {report['catalog_version']}"]

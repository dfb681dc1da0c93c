"""Checks of the databases: reachable, durable, migrated, readable by this version, with room to grow."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from api.doctor.finding import Finding, fail, ok, warn
from api.doctor.patient import Patient
from api.read_models import require_readable
from application.adapters import inspecting, key_store
from application.adapters.directory import tables as directory
from application.adapters.durability import durability_problems
from application.adapters.recorders import is_postgresql, sqlite_path
from application.adapters.seals import tables as seals
from application.stored_events import CODEC
from projections import registry, storage
from projections.registry import RebuildNeeded
from projections.topics import UnknownTopics, require_known

MIGRATE = "orders migrate"
LOW_DISK, NO_DISK = 5_000_000_000, 500_000_000  # bytes


async def database(patient: Patient) -> Finding:
    """The log's database answers and can be written."""
    return await patient.blocking(partial(_usable, patient.settings.database_url, "ORDERS_DATABASE_URL"))


async def key_database(patient: Patient) -> Finding:
    return await patient.blocking(partial(_usable, patient.settings.key_store_url, "ORDERS_KEY_STORE_URL"))


def _usable(url: str, variable: str) -> Finding:
    try:
        return ok(inspecting.require_usable(url))
    except inspecting.NotUsable as problem:
        fix = MIGRATE if "no file" in str(problem) else f"start it or free it, or correct {variable}"
        return fail(str(problem), fix)


async def durability(patient: Patient) -> Finding:
    """What is committed survives a power cut."""
    urls = {patient.settings.database_url, patient.settings.key_store_url}
    problems = [
        problem for url in sorted(urls) for problem in await patient.blocking(partial(durability_problems, url))
    ]
    if not problems:
        return ok("committed data survives a power cut")
    seen = "; ".join(sorted({problem.partition(": ")[2].partition(";")[0] for problem in problems}))
    make = fail if patient.settings.in_production else warn
    return make(seen, "in postgresql.conf: fsync, full_page_writes and synchronous_commit = on; then reload the server")


async def schema(patient: Patient) -> Finding:
    """Every table and column of this version is there."""
    return await patient.blocking(partial(_schema, patient))


def _schema(patient: Patient) -> Finding:
    settings = patient.settings
    log = patient.engine(settings.database_url)
    missing = inspecting.missing(log, ["stored_events", "rate_limits", *inspecting.tables_of(directory.metadata)])
    if is_postgresql(settings.database_url) and not inspecting.has_insert_function(log):
        missing.append("append_stored_events()")
    for url, metadatas in (
        (settings.key_store_url, (key_store.metadata,)),
        (settings.views_url, (registry.control, storage.bookkeeping)),
        (settings.seals_url, (seals.metadata,)),
    ):
        file = None if is_postgresql(url) else sqlite_path(url)
        if file is not None and not file.is_file():
            missing.append(str(file))
            continue
        schemas = None if file is None else {key_store.SCHEMA: None, seals.SCHEMA: None}
        missing += inspecting.missing(patient.engine(url), inspecting.tables_of(*metadatas), schemas)
    if missing:
        return fail(f"missing: {', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}", MIGRATE)
    try:
        require_readable(settings)
    except UnknownTopics:
        pass  # the check of the topics says it
    except RebuildNeeded as needed:
        return fail(str(needed).partition(";")[0], str(needed).rpartition("run: ")[2])
    except KeyError as name:
        return fail(f"the read model {name} was never made", MIGRATE)
    return ok("all tables are there")


async def topics(patient: Patient) -> Finding:
    """This version can read every event of the log."""
    return await patient.blocking(partial(_topics, patient))


def _topics(patient: Patient) -> Finding:
    unknown = inspecting.unknown_topics(patient.engine(patient.settings.database_url), CODEC.topics)
    if unknown:
        return fail(
            f"the log holds {', '.join(unknown[:3])}, which this version does not know", "run the newer version"
        )
    try:
        with patient.engine(patient.settings.views_url).connect() as connection:
            require_known(connection, CODEC.topics)
    except UnknownTopics as refused:
        return fail(str(refused).splitlines()[0].partition(";")[0], "run the version that wrote it, or a later one")
    return ok(f"{len(CODEC.topics)} kinds of events are known, and the log holds no other")


async def disk(patient: Patient) -> Finding:
    """There is room for the files that this machine keeps."""
    settings = patient.settings
    folders = [settings.seals_folder]
    size = ""
    if is_postgresql(settings.database_url):
        try:
            megabytes = await patient.blocking(lambda: inspecting.size_mb(patient.engine(settings.database_url)))
            size = f"; the database has {megabytes:,} MB on its server, whose disk cannot be seen from here"
        except SQLAlchemyError:
            size = ""
    else:
        folders.append(sqlite_path(settings.database_url).parent)
    free = min(shutil.disk_usage(_existing(folder)).free for folder in folders)
    seen = f"{free / 1e9:,.1f} GB are free{size}"
    if free < NO_DISK:
        return fail(seen, f"free space on the disk of {folders[-1]}")
    return warn(seen, f"free space on the disk of {folders[-1]}") if free < LOW_DISK else ok(seen)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())

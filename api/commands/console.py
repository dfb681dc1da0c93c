"""How commands speak: results to stdout, progress and errors to stderr, one meaning for every exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from api.settings import Settings, SettingsError, load_settings

errors = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def fail(*problems: str) -> NoReturn:
    """Say what is wrong and leave with exit code 2."""
    for problem in problems:
        errors.print(f"[red]error:[/red] {escape(problem)}", soft_wrap=True)  # a problem is one line, also in a log
    raise typer.Exit(2)


def settings_or_fail() -> Settings:
    try:
        return load_settings()
    except SettingsError as refused:
        fail(*refused.problems)


def print_json(value: Any) -> None:
    """The result as JSON on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def print_json_list(values: Iterable[Any]) -> None:
    """A list as JSON on stdout, value by value: a long one is never held as a whole."""
    separator = "[\n"
    for value in values:
        sys.stdout.write(separator + json.dumps(value, default=str))
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")


def print_text(*lines: str) -> None:
    """The result for people on stdout."""
    sys.stdout.write("\n".join(lines) + "\n")

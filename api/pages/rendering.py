"""Templates: Jinja with autoescaping, where a name that is not there is an error and not an empty string."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2

from api.pages.assets import asset_url
from api.pages.formatting import FILTERS
from api.pages.visits import PATH

TEMPLATES = Path(__file__).with_name("templates")


def templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(asset=asset_url, root=PATH, link=link)
    return environment


def link(path: str, query: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """An address below the console, with the query and the changes to it; None and empty values are left out."""
    wanted = {name: value for name, value in {**(query or {}), **changes}.items() if value not in (None, "")}
    return f"{PATH}{path}" + (f"?{urlencode(wanted)}" if wanted else "")

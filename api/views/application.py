"""The views of an application: what it is called, whom it serves and what it may do. Never its token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from application.ports import ApplicationRecord


def default(application: ApplicationRecord) -> dict[str, Any]:
    """Slug, name, the roles it serves and its permissions."""
    return {
        "slug": application.slug,
        "name": application.name,
        "roles": list(application.roles),
        "permissions": list(application.permissions),
    }


APPLICATION_VIEWS: Mapping[str, Callable[[ApplicationRecord], dict[str, Any]]] = {
    "default": default,
    "application_read": default,
}

"""All pages of operations."""

from __future__ import annotations

from starlette.routing import Route

from api.bootstrap import Service
from api.pages.operations.dead_letters import DeadLetterPages
from api.pages.operations.health import HealthPage
from api.pages.operations.notifications import NotificationPages
from api.pages.operations.open_work import OpenWorkPage
from api.pages.operations.projections import ProjectionPages
from api.pages.shell import Shell


def operations_routes(shell: Shell, service: Service) -> list[Route]:
    pages = (HealthPage, OpenWorkPage, ProjectionPages, DeadLetterPages, NotificationPages)
    return [route for page in pages for route in page(shell, service).routes()]

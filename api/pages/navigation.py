"""The areas of the console, as the navigation shows them to those who may open them."""

from __future__ import annotations

from dataclasses import dataclass

from api.pages.viewer import EVERYBODY, FINANCE_READERS, OPERATORS, ORDER_READERS, REPORT_READERS, Viewer
from api.pages.visits import PATH


@dataclass(frozen=True)
class Area:
    path: str
    label: str
    roles: frozenset[str]

    def covers(self, path: str) -> bool:
        """Whether a page belongs to it."""
        return path == self.path or (self.path != f"{PATH}/" and path.startswith(self.path + "/"))


AREAS: tuple[Area, ...] = (
    Area(f"{PATH}/", "Overview", EVERYBODY),
    Area(f"{PATH}/orders", "Orders", ORDER_READERS),
    Area(f"{PATH}/finance", "Finance", FINANCE_READERS),
    Area(f"{PATH}/reports", "Reports", REPORT_READERS),
    Area(f"{PATH}/operations", "Operations", OPERATORS),
)


def areas_for(viewer: Viewer) -> list[Area]:
    return [area for area in AREAS if viewer.may(area.roles)]

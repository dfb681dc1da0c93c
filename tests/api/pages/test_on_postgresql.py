"""Reports, operations and finance on PostgreSQL: every page can be read, and a rebuild and a verification run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.pages.browsing import Visitor, text_of
from tests.browser.figure_pages import FIGURE_PAGES
from tests.databases import fresh_database
from tests.end_to_end.world import World, eventually, opened_world

REASON = {"reason": "figures looked odd"}


@pytest.fixture(scope="module")
def ed(postgresql_server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """An employee in a world with one order."""
    folder: Path = tmp_path_factory.mktemp("console")
    with fresh_database(postgresql_server_url) as url, opened_world(url, folder, seals_path=str(folder)) as world:
        yield _signed_in(world)


def _signed_in(world: World) -> Visitor:
    visitor = Visitor(world)
    assert world.pay(world.body(promotion_code=world.promotion("TEN"))).code == 200
    assert visitor.sign_in("session-ed-example-token").code == 303
    eventually(lambda: "Debits equal credits" in text_of(visitor.get("/console/finance")))
    return visitor


@pytest.mark.parametrize("path", FIGURE_PAGES.values(), ids=FIGURE_PAGES)
def test_every_page_can_be_read(ed: Visitor, path: str) -> None:
    answer = ed.get(path)
    assert answer.code == 200, text_of(answer)


def test_a_projection_is_rebuilt_and_rolled_back(ed: Visitor) -> None:
    path = "/console/operations/projections/ledger"

    assert ed.post(f"{path}/rebuild", REASON).code == 303
    eventually(lambda: "2 generation served" in text_of(ed.get(path)))
    assert ed.post(f"{path}/rollback", REASON).code == 303

    eventually(lambda: "1 generation served" in text_of(ed.get(path)))
    assert "Debits equal credits" in text_of(ed.get("/console/finance"))


def test_the_log_is_verified(ed: Visitor) -> None:
    path = "/console/finance/log"
    eventually(lambda: ed.get(f"{path}/checkpoint.txt").code == 200)

    assert ed.post(f"{path}/verify", REASON).code == 303

    eventually(lambda: "the log is what was sealed" in text_of(ed.get(path)))

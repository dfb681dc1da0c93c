"""The notifications tab: newest first, in the state that their events say."""

from __future__ import annotations

from api.read_models import NOTIFICATIONS
from projections.notifications import find_notifications
from tests.application.background_world import BackgroundWorld, background_world
from tests.helpers import run

FAILS = ("mail-error@example.com",)


async def shown(world: BackgroundWorld, state: str | None = None, before: int | None = None) -> list[tuple[str, str]]:
    """Kind and state of each."""
    await world.catch_up()
    _, rows = await world.service.views.read(
        NOTIFICATIONS, lambda connection: find_notifications(connection, state=state, before=before, limit=50)
    )
    return [(row["kind"], row["state"]) for row in rows]


def test_they_are_listed_newest_first_and_move_from_new_to_seen_to_resolved(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            await world.placed(recipients=FAILS)
            await world.placed("bad-keys")
            assert await shown(world) == [("gateway-keys-refused", "new"), ("email-failed", "new")]
            _, (row, _) = await world.service.views.read(
                NOTIFICATIONS, lambda connection: find_notifications(connection, state=None, before=None, limit=5)
            )
            operations = world.service.operations

            await operations.see_notification(row["notification_id"], actor="operator:olga", request="cmd_1")
            assert await shown(world, state="seen") == [("gateway-keys-refused", "seen")]
            assert await shown(world, state="new") == [("email-failed", "new")]

            await operations.resolve_notification(
                row["notification_id"], actor="operator:olga", reason="keys replaced", request="cmd_2"
            )
            assert await shown(world) == [("gateway-keys-refused", "resolved"), ("email-failed", "new")]
            assert await shown(world, before=row["raised_position"]) == [("email-failed", "new")]

    run(test())

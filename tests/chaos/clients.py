"""People and programs that order all the time: new homes, the same again, lost answers asked for again, promotions."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

import aiohttp

from api.demo.endings import APPLICATION, ED, MIA, PATH, ordinary_body
from tests.chaos.judge import Told
from tests.chaos.world import told_by

ANSWER_S = 12.0
TRIES = 4  # with one idempotency key
APPROVED = 101
CARDS = range(101, 128)  # of client 11: one for every way a charge can end
PAUSE_S = 0.2


@dataclass(frozen=True)
class Wish:
    """One request, as often as it is sent."""

    home: int
    changes: dict[str, Any]
    key: str | None


@dataclass
class Clients:
    """All of them together, and everything they were told."""

    url: str
    chance: Random
    promotions: int
    told: list[Told] = field(default_factory=list)
    sent: int = 0
    lost: int = 0  # requests without an answer
    answers: Counter[str] = field(default_factory=Counter)
    unanswered: list[Wish] = field(default_factory=list)  # with a key, so that they may be sent again
    _homes: Any = field(default_factory=lambda: count(1))
    _keys: Any = field(default_factory=lambda: count(1))
    _codes: Any = field(default_factory=count)

    async def order_until(self, over: Callable[[], bool], side_by_side: int) -> None:
        """Order until it is over; then every request that is under way is waited for."""
        async with self._session() as http, asyncio.TaskGroup() as clients:
            for _ in range(side_by_side):
                clients.create_task(self._order(http, over))

    async def ask_again(self) -> None:
        """What has a key and never got an answer is sent once more, now that the weather is fine."""
        left, self.unanswered = self.unanswered, []
        async with self._session() as http:
            for wish in left:
                await self._send(http, wish)

    async def _order(self, http: aiohttp.ClientSession, over: Callable[[], bool]) -> None:
        while not over():
            wishes = self.chance.choices(
                [self._another_home, self._the_same_thing, self._one_promotion], weights=[70, 15, 15]
            )[0]()
            await asyncio.gather(*(self._send_until_answered(http, wish, over) for wish in wishes))
            await asyncio.sleep(self.chance.uniform(0, PAUSE_S))

    # --- what they ask for --------------------------------------------------------------------------------------------

    def _another_home(self) -> Sequence[Wish]:
        changes = self.chance.choice(
            (
                {},
                {"payment_method_id": self.chance.choice(CARDS)},
                {"token": MIA},
                {"token": ED, "client": {"id": 11}, "payment_method_id": self.chance.choice(CARDS)},
                {"token": APPLICATION, "client": {"id": 12}},
            )
        )
        return [self._wish(next(self._homes), changes)]

    def _the_same_thing(self) -> Sequence[Wish]:
        """At the same moment, with another card, by somebody else: it is one thing all the same."""
        home = next(self._homes)
        other = {"token": ED, "client": {"id": 11}, "payment_method_id": self.chance.choice(CARDS)}
        return [self._wish(home, {}), self._wish(home, {"payment_method_id": APPROVED}), self._wish(home, other)]

    def _one_promotion(self) -> Sequence[Wish]:
        """One user wants it for three homes at once; one of them may get it, or none."""
        number = next(self._codes)
        if number >= self.promotions:
            return self._another_home()
        changes = {"promotion_code": f"{self.chance.choice(('TEN', 'TEN', 'ALL'))}-{number}"}
        cards = [APPROVED, APPROVED, self.chance.choice(CARDS)]
        return [self._wish(next(self._homes), {**changes, "payment_method_id": card}) for card in cards]

    def _wish(self, home: int, changes: dict[str, Any]) -> Wish:
        return Wish(home, changes, f"chaos-{next(self._keys)}" if self.chance.random() < 0.6 else None)

    # --- what they are told -------------------------------------------------------------------------------------------

    async def _send_until_answered(self, http: aiohttp.ClientSession, wish: Wish, over: Callable[[], bool]) -> None:
        """Who has a key asks again where no answer came; who has none must not."""
        for _ in range(TRIES if wish.key else 1):
            if await self._send(http, wish):
                return
            if over():
                break
            await asyncio.sleep(self.chance.uniform(0, PAUSE_S))
        if wish.key:
            self.unanswered.append(wish)

    async def _send(self, http: aiohttp.ClientSession, wish: Wish) -> bool:
        """Whether an answer came that means something for the order."""
        self.sent += 1
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": wish.key} if wish.key else {})
        body = json.dumps(ordinary_body(wish.home, wish.changes))
        try:
            async with http.post(self.url + PATH, data=body, headers=headers) as response:
                told = told_by(json.loads(await response.read()), response.status, wish.key)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            self.lost += 1
            return False
        self.told.append(told)
        self.answers[f"{told.status} ({told.detail})" if told.detail else told.status] += 1
        return told.code < 500 or told.order_id is not None

    @staticmethod
    def _session() -> aiohttp.ClientSession:
        """A connection per request: each may meet another server."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=ANSWER_S),
            trust_env=False,
        )

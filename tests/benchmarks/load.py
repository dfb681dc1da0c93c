"""The client, in a process of its own: sends orders over keep-alive connections, a bounded number at once.

`python -m tests.benchmarks.load` takes a `Job` per line on stdin as JSON and prints a `Result` per line on stdout.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

import msgspec
import uvloop

from tests.benchmarks.example import PATH, body_of
from tests.benchmarks.running import python
from tests.benchmarks.wire import Answer, connect, post_head, posted

RETRY_AFTER_S: Final = 1.0  # what a refusal says
_HEAD: Final = post_head(PATH, "application/json")


class Job(msgspec.Struct, frozen=True):
    """Send orders from number `first` on, `concurrency` at once, until the time or the number of orders is up."""

    url: str
    concurrency: int
    first: int
    seconds: float
    orders: int = 1_000_000


class Result(msgspec.Struct, frozen=True):
    """What came back. `answers` counts by the slug of the status, or by code where there is none; 200 is `ok`."""

    sent: int
    took_s: float
    p50_ms: float
    p99_ms: float
    answers: dict[str, int]
    p99_ms_of: dict[str, float] = {}  # by answer

    @property
    def ok(self) -> int:
        return self.answers.get("ok", 0)

    @property
    def server_errors(self) -> int:
        return sum(count for slug, count in self.answers.items() if slug.startswith("5"))


class _Run:
    """One job under way."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._next = job.first
        self._last = job.first + job.orders
        self._ends_s = time.perf_counter() + job.seconds
        self.latencies_s: defaultdict[str, list[float]] = defaultdict(list)

    async def work(self) -> None:
        """One client: an order at a time over its own connection."""
        address = urlsplit(self._job.url)
        host, port = address.hostname or "", address.port or 0
        connection = await connect(host, port)
        try:
            while self._next < self._last and (begun := time.perf_counter()) < self._ends_s:
                order, self._next = self._next, self._next + 1
                if not connection.open:  # a server may close after an error
                    connection = await connect(host, port)
                answer = await connection.exchange(posted(_HEAD, body_of(order)))
                self.latencies_s["ok" if answer.status == 200 else _slug(answer)].append(time.perf_counter() - begun)
                if answer.status == 503:
                    await asyncio.sleep(RETRY_AFTER_S)
        finally:
            connection.close()


async def carry_out(job: Job) -> Result:
    """Raises an ExceptionGroup where a connection fails."""
    run = _Run(job)
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as clients:
        for _ in range(job.concurrency):
            clients.create_task(run.work())
    took_s = time.perf_counter() - begun
    in_order = sorted(second for seconds in run.latencies_s.values() for second in seconds)
    answers = {answer: len(seconds) for answer, seconds in run.latencies_s.items()}
    p99_ms_of = {answer: _share(sorted(seconds), 0.99) for answer, seconds in run.latencies_s.items()}
    return Result(len(in_order), took_s, _share(in_order, 0.5), _share(in_order, 0.99), answers, p99_ms_of)


def _share(in_order: list[float], share: float) -> float:
    """The value below which this share lies, in milliseconds."""
    return 1000 * in_order[min(int(share * len(in_order)), len(in_order) - 1)] if in_order else 0.0


def _slug(answer: Answer) -> str:
    try:
        return f"{answer.status} {msgspec.json.decode(answer.body)['status']}"
    except (msgspec.DecodeError, KeyError, TypeError):
        return str(answer.status)


class Client:
    """The client process, seen from the benchmark."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def run(self, job: Job) -> Result:
        """Raises RuntimeError where the client failed; its own account of it is on stderr."""
        self.begin(job)
        return self.result()

    def begin(self, job: Job) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        self._process.stdin.flush()

    def result(self) -> Result:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load client failed")
        return msgspec.json.decode(line, type=Result)


@contextmanager
def client() -> Iterator[Client]:
    """A client process while the block lasts."""
    with subprocess.Popen(python("tests.benchmarks.load"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Client(process)  # leaving closes its stdin, which ends it


def main() -> None:
    for line in sys.stdin:
        result = uvloop.run(carry_out(msgspec.json.decode(line, type=Job)))
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

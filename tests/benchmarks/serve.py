"""Serves a factory with uvicorn as `orders serve` does: `python -m tests.benchmarks.serve MODULE:FACTORY WORKERS`."""

from __future__ import annotations

import socket
import sys

import uvicorn
from uvicorn.supervisors import Multiprocess


def main(factory: str, workers: int) -> None:
    """Prints one line with the URL; the port takes connections from then on, though a worker may still be starting."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(4096)
    listening.set_inheritable(True)
    config = uvicorn.Config(
        factory,
        factory=True,
        workers=workers,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        backlog=4096,
    )
    sys.stdout.write(f"benchmark: serving on http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    if workers == 1:
        uvicorn.Server(config).run(sockets=[listening])
    else:
        Multiprocess(config, sockets=[listening]).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

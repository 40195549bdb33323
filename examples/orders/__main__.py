"""`python -m examples.orders`: runs the order system; with `--beside COMMAND …` next to a command, until that ends."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from aiohttp import web

from examples.orders.server import application
from examples.orders.store import Orders

PAUSE = 0.5
"""Seconds between two looks at whether the command that it runs beside is still there."""


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m examples.orders", description=__doc__)
    parser.add_argument("--port", type=int, default=8090, help="on 127.0.0.1 (default 8090)")
    parser.add_argument("--file", type=Path, default=Path("data/orders.db"), help="where the orders are kept")
    parser.add_argument("--beside", nargs=argparse.REMAINDER, metavar="COMMAND", help="what to run it next to")
    args = parser.parse_args()
    command = os.getpid() if args.beside else None
    if args.beside and os.fork():
        os.execvp(args.beside[0], args.beside)  # noqa: S606 — the command keeps this process, its signals and its end
    return _serve(args.file, args.port, command)


def _serve(file: Path, port: int, command: int | None) -> int:
    try:
        asyncio.run(_run(file, port, command))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        sys.stderr.write(f"the sample order system can't listen on port {port}: {error.strerror}\n")
        return 1
    return 0


async def _run(file: Path, port: int, command: int | None) -> None:
    """Until the command, whose process is our parent, has ended."""
    runner = web.AppRunner(application(Orders(file)), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        sys.stderr.write(f"the sample order system is at http://127.0.0.1:{port}/orders\n")
        sys.stderr.flush()
        while command in (None, os.getppid()):  # noqa: ASYNC110 — nobody is told when a parent ends
            await asyncio.sleep(PAUSE)
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())

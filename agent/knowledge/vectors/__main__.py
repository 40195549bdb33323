"""`python -m agent.knowledge.vectors`: started by a client, which writes the Setup to standard input.

Says "ready" on standard output when it listens, "taken" when another process owns these vectors. Only then, with
the lock in hand, are the model and Chroma imported.
"""

import asyncio
import contextlib
import os
import signal
import sys

from filelock import FileLock, Timeout

from agent.knowledge.vectors import Setup


def main() -> None:
    """The owner belongs to no client: it leaves the one that started it, and ends after the last one.

    Signals are left to the clients: a hub that drains after SIGTERM still needs its vectors.
    """
    setup = Setup.loads(sys.stdin.readline())
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    setup.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with FileLock(setup.folder / "owner.lock", timeout=0):
            from agent.knowledge.vectors.owner import serve  # a second of work, and only now sure to be ours

            asyncio.run(serve(setup, lambda: say("ready")))
    except Timeout:
        say("taken")


def say(word: str) -> None:
    """The one word that the client waits for; then the pipe is closed."""
    with contextlib.suppress(OSError):
        os.write(1, f"{word}\n".encode())
        os.dup2(2, 1)


if __name__ == "__main__":
    main()

"""What holds for all tests: nothing leaves this machine, and no room blocks the event loop."""

import errno
import sys
from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx

from tests.architecture.source import ROOMS

HERE = ("", "localhost", "::", "::1", "0.0.0.0")
MAY_BLOCK = (
    ("memory/migrate.py", "migrate"),  # before the hub listens
    ("config/file.py", "_parse"),  # before anything else
    ("config/secret.py", "_file"),
    ("agent/knowledge/tokens.py", "_converter"),  # 14 ms, once
    ("redis/utils.py", "get_lib_version"),  # once
    ("channels/h5/script.py", "bundle"),  # the hub calls it in a thread, tests where they are
)
"""What is not worth a thread, because nothing else is under way or it happens once."""
QUICK = ("os.", "threading.")
"""A stat of a local file, a lock that is held for a few lines: microseconds."""


def stay_here(event: str, args: tuple[object, ...]) -> None:
    """Refuses any address but loopback, as a machine without a network would."""
    if event == "socket.connect":
        host = args[1][0] if isinstance(args[1], tuple) else ""
    elif event == "socket.getaddrinfo":
        host = args[0] or ""
    else:
        return
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name not in HERE and not name.startswith("127."):
        raise OSError(errno.ENETUNREACH, f"a test reached for {name}")


sys.addaudithook(stay_here)


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    """Whatever a room does on the event loop that could take long is a failure: a sleep, a file, a socket, a query."""
    with blockbuster_ctx(list(ROOMS), excluded_modules=["channels.simulators"]) as guard:
        for name, function in guard.functions.items():
            if name.startswith(QUICK) and name not in ("os.read", "os.write"):
                function.deactivate()
            for file, allowed in MAY_BLOCK:
                function.can_block_in(file, {allowed})
        yield

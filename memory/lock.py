"""Only one server a data folder: two would both answer what is open in it. Shell commands need no lock."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hub.errors import ConfigError


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds the folder for this process. Raises ConfigError when another server has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock, owner = FileLock(folder / "hub.lock"), folder / "hub.pid"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        pid = owner.read_text(encoding="ascii").strip() if owner.exists() else "unknown"
        raise ConfigError(
            f"another hub (process {pid}) works in {folder}; stop it, or give this one another data_dir"
        ) from None
    owner.write_text(str(os.getpid()), encoding="ascii")
    try:
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()

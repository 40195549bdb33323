"""The files and settings that the rules are about."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("hub", "channels", "agent", "memory", "config")


def modules() -> list[Path]:
    """Every Python file of the rooms, relative to the root."""
    return sorted(path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def dotted(module: Path) -> str:
    """hub/queue/__init__.py → hub.queue"""
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")


def texts() -> Iterator[Path]:
    """Every text file that git holds, relative to the root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        path = ROOT / name
        if name and path.is_file() and b"\0" not in path.read_bytes()[:4096]:
            yield Path(name)

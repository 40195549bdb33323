"""The door: `python -m hub COMMAND`. A command's module is imported only when that command is given."""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from agent.tools import registry
from channels.registry import KINDS, section
from config import Kinds
from config.commands import check, read
from hub.errors import ConfigError, NotStored

COMMANDS = {
    "serve": ("hub.app", "start the server; SIGTERM drains and stops it"),
    "check": ("config.commands", "read the configuration and list every fault; touches no network"),
    "doctor": (
        "hub.doctor",
        "try each channel's credentials and settings, the model and the stores; names what to fix",
    ),
    "knowledge": ("agent.knowledge.commands", "add, list, remove and search documents"),
    "answers": ("agent.approved.commands", "list, add, remove, import and export approved answers"),
    "evaluate": ("agent.evaluation.commands", "ask the questions of a file, and count how well they are answered"),
    "person": ("memory.commands", "show, link, unlink, export and erase people"),
    "audit": ("memory.audit_commands", "verify and list the audit log"),
    "simulate": ("channels.simulators.commands", "play a platform against the running hub, in this terminal"),
}


def parser() -> argparse.ArgumentParser:
    """Only the commands' names; what each takes is added when it is given."""
    top = argparse.ArgumentParser(prog="python -m hub", description="One hub, every channel.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, text) in COMMANDS.items():
        commands.add_parser(name, help=text, description=text, add_help=False)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status: 0 done, 1 failed, 2 the configuration or the call is wrong."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given:
        parser().print_help(sys.stderr)
        return 2
    known, rest = parser().parse_known_args(given)
    module: Any = importlib.import_module(COMMANDS[known.command][0])
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", type=Path, action="append", help="the configuration (hub.toml)")
    place, rest = shared.parse_known_args(rest)  # it may stand before or after what the command takes
    own = argparse.ArgumentParser(
        prog=f"python -m hub {known.command}", description=COMMANDS[known.command][1], parents=[shared]
    )
    if hasattr(module, "arguments"):
        module.arguments(own)
    args = own.parse_args(rest)
    places = place.config or [Path("hub.toml")]
    args.config = places[-1]
    if known.command == "check":
        return check(args.config, kinds(), tools())
    configs = [read(one, kinds(), tools()) for one in places]
    args.configs = [config for config in configs if config is not None]  # more than one says something to evaluate only
    if len(args.configs) < len(places):
        return 2
    config = args.configs[-1]
    try:
        if known.command == "serve":
            status: int = module.serve(config)
            return status
        status = asyncio.run(module.run(args, config))
        return int(status)
    except (ConfigError, NotStored) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, ConfigError) else 1
    except KeyboardInterrupt:
        return 130


def kinds() -> Kinds:
    """The section of each kind of channel; its module is imported when it is asked for."""
    return {kind: partial(section, kind) for kind in KINDS}


def tools() -> Kinds:
    """The same for tools."""
    return {kind: partial(registry.section, kind) for kind in registry.KINDS}


if __name__ == "__main__":
    sys.exit(main())

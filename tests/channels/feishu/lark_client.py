"""lark-oapi's own client of the long connection, in a process of its own; prints each event that it gets.

The thousands of modules of its API are left out: the client needs none of them.
"""

import importlib.util
import json
import sys
from types import ModuleType
from typing import Any


def hollow(name: str, path: str = "") -> ModuleType:
    """A package of which only what is asked for is imported."""
    module = ModuleType(name)
    if path:
        module.__path__ = [path]
    sys.modules[name] = module
    return module


class Handler:
    """What the client calls for each event."""

    def _do_without_validation(self, payload: bytes) -> object:
        event = json.loads(payload)
        sys.stdout.write(json.dumps(event["event"]) + "\n")
        sys.stdout.flush()
        return {"toast": {"type": "info"}} if event["header"]["event_type"] == "card.action.trigger" else None


def main(domain: str, app_id: str, secret: str) -> None:
    """Connects, and stays connected."""
    spec = importlib.util.find_spec("lark_oapi")
    assert spec is not None
    assert spec.submodule_search_locations
    (root,) = spec.submodule_search_locations
    hollow("lark_oapi", root)
    hollow("lark_oapi.event", f"{root}/event")
    dispatcher: Any = hollow("lark_oapi.event.dispatcher_handler")
    dispatcher.EventDispatcherHandler = Handler
    client = importlib.import_module("lark_oapi.ws.client")
    client.Client(app_id, secret, event_handler=Handler(), domain=domain).start()


if __name__ == "__main__":
    main(*sys.argv[1:])

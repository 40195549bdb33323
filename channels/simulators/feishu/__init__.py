"""Feishu as a running hub sees it: `python -m hub simulate feishu`.

The hub's `api_base` must name an address of this machine, e.g. "http://127.0.0.1:9001": there the platform is played.
What is typed is said to the bot, what the bot answers is shown; with transport "websocket" the hub connects by itself,
with "webhook" its callback is called with real encryption and signatures.
"""

from channels.simulators.feishu.console import play
from channels.simulators.feishu.events import Account, mention
from channels.simulators.feishu.platform import Platform, Shown
from channels.simulators.feishu.refusals import Fault, Refused

__all__ = ["Account", "Fault", "Platform", "Refused", "Shown", "mention", "play"]

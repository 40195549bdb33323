"""WeCom as the hub of an AI bot sees it: `python -m hub simulate wecom_bot`.

With transport "webhook" the callback of a running hub is called as it is; where `api_base` names an address of this
machine, messages carry a response_url. With "websocket" `ws_url` must name one, e.g. "ws://127.0.0.1:9003".
"""

from channels.simulators.wecom_bot.callbacks import Answered, Broken, Caller
from channels.simulators.wecom_bot.console import play
from channels.simulators.wecom_bot.gateway import Gateway
from channels.simulators.wecom_bot.people import event, message, text

__all__ = ["Answered", "Broken", "Caller", "Gateway", "event", "message", "play", "text"]

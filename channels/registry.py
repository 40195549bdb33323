"""kind in hub.toml → the module of that name.

A channel's module is imported only when a channel of that kind is configured; it names its class `CHANNEL`.
"""

import importlib
from typing import Any

from pydantic import BaseModel

from hub.channel import Channel

KINDS = ("wechat_oa", "wecom", "wecom_bot", "wechat_kf", "feishu", "dingtalk", "h5")


def load(kind: str) -> type[Channel[Any]]:
    """The channel's class. Raises KeyError for a kind that is not in KINDS."""
    if kind not in KINDS:
        raise KeyError(kind)
    found: type[Channel[Any]] = importlib.import_module(f"channels.{kind}").CHANNEL
    return found


def section(kind: str) -> type[BaseModel]:
    """Its section in hub.toml, for config.load; a module is imported when its section is asked for."""
    return load(kind).settings_type

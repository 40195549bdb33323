"""The section of an AI bot in hub.toml; every limit of the platform is a key with the documented default."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from channels.kit.envelope import AesKey
from config import ChannelSection, Secret, fault
from config.sections import Positive, Web

HOSTS = (".work.weixin.qq.com", "qyapi.weixin.qq.com")
"""Where response URLs live, besides api_base."""


def _for_webhook(value: Secret | None, info: ValidationInfo) -> Secret | None:
    if value is None and info.data.get("transport") == "webhook":
        raise fault('is missing; transport = "webhook" needs the one shown in the bot\'s API settings')
    return value


def _for_websocket(value: Secret | str | None, info: ValidationInfo) -> Secret | str | None:
    if not value and info.data.get("transport") == "websocket":
        raise fault('is missing; transport = "websocket" needs the one shown in the bot\'s API settings')
    return value


class Settings(ChannelSection):
    """https://developer.work.weixin.qq.com/document/path/100719 and /101463"""

    transport: Literal["webhook", "websocket"] = "webhook"
    token: Annotated[Secret | None, AfterValidator(_for_webhook)] = None
    encoding_aes_key: Annotated[AesKey | None, AfterValidator(_for_webhook)] = None
    bot_id: Annotated[str, AfterValidator(_for_websocket)] = ""
    secret: Annotated[Secret | None, AfterValidator(_for_websocket)] = None
    ws_url: str = "wss://openws.work.weixin.qq.com"
    api_base: Annotated[Web, Field(min_length=1)] = "https://qyapi.weixin.qq.com"
    bot_name: str = ""
    """The bot's name, to take its mention out of a group's messages; "" = the word after the first @."""
    group_context: Literal["group", "member"] = "group"
    """Whether a group shares one context, or each of its members has one."""
    welcome: str = ""
    """What is said to somebody who opens the chat for the first time on a day; "" = the hub's own words."""

    text_bytes: Annotated[int, Field(ge=1000)] = 20_480
    """Bytes of one stream, and of one message through a response_url."""
    body_bytes: Annotated[int, Field(gt=0)] = 1 << 20
    """Bytes of a callback; a longer one is not read."""
    media_bytes: Annotated[int, Field(gt=0)] = 100 << 20
    media_hosts: tuple[str, ...] = (".work.weixin.qq.com", ".qpic.cn", ".myqcloud.com")
    timeout: Positive = 10.0
    stream_seconds: Positive = 350.0
    """Seconds after which a stream is brought to its end; WeCom gives up after 360."""
    poll_patience: Positive = 12.0
    """Seconds without a poll after which nobody asks for a stream any more."""
    silence_patience: Positive = 15.0
    """Seconds after a turn without an answer (a person has taken over) at which its stream is ended."""
    url_seconds: Positive = 3600.0
    """Seconds that a response_url is good for."""

    ping_seconds: Positive = 30.0
    """Seconds between two pings of the long connection; two that stay unanswered mean that it is dead."""
    ack_seconds: Positive = 5.0
    """Seconds in which WeCom acknowledges a frame."""
    stream_interval: Annotated[float, Field(ge=0)] = 1.0
    """Seconds between two changes of one stream over the long connection."""
    reconnect_first: Positive = 1.0
    reconnect_most: Positive = 30.0

"""The section of a Feishu channel in hub.toml; every limit of the platform is a key with the documented default."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config import ChannelSection, Secret
from config.sections import Count, Positive
from config.settings import fault

HOSTS = (".feishu.cn", ".larksuite.com")
"""Where the long connections of Feishu and Lark live."""


class Settings(ChannelSection):
    """https://open.feishu.cn/document/server-docs/event-subscription-guide/overview"""

    transport: Literal["webhook", "websocket"] = "webhook"
    app_id: Annotated[str, Field(min_length=1)]
    app_secret: Secret
    encrypt_key: Secret | None = None
    """Left out: bodies come plain and unsigned, and the verification token alone proves where they come from."""
    verification_token: Secret | None = None
    stream: bool = True
    """Answer in a card that grows; needs the permission cardkit:card:write and clients from 7.20 on."""
    directory: bool = False
    """Ask the directory for a member's e-mail and mobile, by which `[memory] trust` may know them elsewhere."""
    group_context: Literal["group", "member"] = "group"
    """Whether a group shares one context, or each of its members has one."""
    api_base: str = "https://open.feishu.cn"
    max_age: Annotated[int, Field(ge=0)] = 86400

    text_bytes: Annotated[int, Field(ge=1000)] = 26_000
    """Bytes of text in one message; the rest of `card_bytes` is for the card around it and for escaped characters."""
    card_bytes: Count = 30 * 1024
    card_tables: Annotated[int, Field(ge=0)] = 5
    """Tables in one card; what is more is written in lines (230099 / 11310)."""
    media_bytes: Count = 20 << 20
    media_seconds: Positive = 60.0
    timeout: Positive = 10.0

    app_rate: Count = 50
    """Calls a second of the whole app."""
    chat_rate: Count = 5
    """Messages a second to one chat."""
    card_rate: Count = 10
    """Changes a second of one card."""
    card_interval: Positive = 0.2
    """Seconds between two changes of a card while it grows."""

    reconnect_first: Positive = 1.0
    reconnect_most: Positive = 8.0
    reconnect_refused: Positive = 60.0
    """Seconds between two tries when the app id or its secret is refused."""

    @model_validator(mode="after")
    def _provable(self) -> Self:
        if self.transport == "webhook" and self.verification_token is None:
            raise fault(
                "is missing; it is the Verification Token that the platform shows beside the callback's address",
                key="verification_token",
            )
        return self

    def warnings(self) -> list[str]:
        """What works, but less safely than it could."""
        if self.transport == "websocket" or self.encrypt_key is not None:
            return []
        return [
            "encrypt_key is not set: Feishu signs nothing then, and whoever learns the verification token can speak "
            "for anybody; set an Encrypt Key under 事件与回调 → 加密策略 and here"
        ]

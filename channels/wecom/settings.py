"""What [channels.NAME] with kind = "wecom" holds. Limits are those that WeCom documents."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from channels.kit.envelope import AesKey
from channels.kit.wecom import corporation
from config import ChannelSection, Secret
from config.sections import Count, Positive, Web


class Settings(ChannelSection):
    """A self-built application of one corporation."""

    kind: Literal["wecom"] = "wecom"
    corp_id: Annotated[str, AfterValidator(corporation)]
    agent_id: Annotated[int, Field(gt=0)]
    """AgentId of the application."""
    secret: Secret
    """Secret of the application, not of the corporation's contacts."""
    token: Secret
    """Token under 接收消息 → 设置API接收."""
    encoding_aes_key: AesKey
    api_base: Annotated[Web, Field(min_length=1)] = "https://qyapi.weixin.qq.com"
    markdown: bool = False
    """Answers in WeCom's Markdown; members who read in WeChat see none of it."""
    buttons: bool = True
    """Short questions with choices as cards with buttons; members who read in WeChat see no cards."""
    directory: bool = False
    """Ask the directory for a member's e-mail and mobile, by which `[memory] trust` may know them elsewhere."""
    welcome: str = ""
    """Said to those who join the application; "" = the hub's own words."""

    text_bytes: Annotated[int, Field(ge=64)] = 2048
    body_bytes: Annotated[int, Field(ge=1024)] = 256 << 10
    """The longest body of a callback that is read."""
    rate: Annotated[int, Field(ge=1)] = 30
    """Messages a minute to one member; WeCom drops what is more without a word."""
    duplicate_seconds: Annotated[int, Field(ge=1, le=14400)] = 300
    """For a message that may have arrived: seconds in which WeCom itself drops the same text."""
    media_bytes: Count = 20 << 20
    """The largest file that is fetched."""
    media_seconds: Positive = 60.0
    """Seconds that fetching a file may take."""
    timeout: Positive = 10.0
    """Seconds that one call of the API may take."""
    refusal_pause: Annotated[float, Field(ge=0)] = 30.0
    """Seconds for which no token is asked for after WeCom refused our address or secret; it shuts out who insists."""

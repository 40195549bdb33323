"""What [channels.NAME] with kind = "wechat_kf" holds. Limits are those that WeCom documents."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from channels.kit.envelope import AesKey
from channels.kit.wecom import corporation
from config import ChannelSection, Secret
from config.sections import Count, Positive, Web

Seconds = Annotated[float, Field(ge=0)]


class Settings(ChannelSection):
    """The customer service of one corporation, with all its desks."""

    kind: Literal["wechat_kf"] = "wechat_kf"
    corp_id: Annotated[str, AfterValidator(corporation)]
    secret: Secret
    """Secret of 微信客服 (or of an application that may use it)."""
    token: Secret
    encoding_aes_key: AesKey
    api_base: Annotated[Web, Field(min_length=1)] = "https://qyapi.weixin.qq.com"
    welcome: str = ""
    """Said to those who enter the chat; "" = the hub's own words."""
    handover: tuple[str, ...] = ("/human", "转人工")
    """Words that move a customer into the queue for a person; () = none do."""
    identify: bool = True
    """Asks for the UnionID of each customer, so that the Official Account's followers are known again."""
    backlog: Seconds = 600.0
    """At the very first sync of a desk: older messages are recorded, not answered. 0 = all are answered."""

    text_bytes: Annotated[int, Field(ge=64)] = 2048
    body_bytes: Annotated[int, Field(ge=1024)] = 256 << 10
    """The longest body of a callback that is read."""
    page: Annotated[int, Field(ge=1, le=1000)] = 1000
    """Messages that are fetched at a time."""
    window: Positive = 48 * 3600.0
    """Seconds after a customer's message in which messages for them are taken."""
    quota: Count = 5
    """How many are taken in that time."""
    code_seconds: Positive = 20.0
    """Seconds for which the code of a welcome is good."""
    media_bytes: Count = 20 << 20
    """The largest file that is fetched."""
    media_seconds: Positive = 60.0
    """Seconds that fetching a file may take."""
    timeout: Positive = 10.0
    """Seconds that one call of the API may take."""
    refusal_pause: Seconds = 30.0
    """Seconds for which no token is asked for after WeCom refused our address or secret; it shuts out who insists."""

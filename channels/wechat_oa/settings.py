"""What [channels.NAME] with kind = "wechat_oa" holds. Limits are those that WeChat documents."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from channels.kit.envelope import AesKey
from config import ChannelSection, Secret, fault
from config.sections import Count, Positive, Web


def _in_time(seconds: float, info: ValidationInfo) -> float:
    if seconds >= info.data.get("cut", seconds + 1):
        raise fault("must be less than cut, the seconds after which WeChat hangs up")
    return seconds


def _app_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise fault("is no AppID; copy it from 设置与开发 → 基本配置 (it begins with wx)")
    return text


class Settings(ChannelSection):
    """An Official Account."""

    kind: Literal["wechat_oa"] = "wechat_oa"
    app_id: Annotated[str, AfterValidator(_app_id)]
    app_secret: Secret
    token: Secret
    """What was typed into the console as Token."""
    encoding_aes_key: AesKey | None = None
    """Left out: plain mode. Given: safe or compatible mode, and bodies that are not encrypted are refused."""
    push: bool = False
    """The account may use the customer-service API (verified accounts)."""
    api_base: Annotated[Web, Field(min_length=1)] = "https://api.weixin.qq.com"
    welcome: str = ""
    """Said to those who follow the account; "" = the hub's own words."""
    identify: bool = False
    """Asks for the UnionID of each follower, so that people are known again in customer service and elsewhere; the
    account must be bound to an Open Platform account."""
    identify_within: Positive = 1.0
    """Seconds that this may keep a message."""

    cut: Positive = 5.0
    """Seconds after which WeChat hangs up."""
    tries: Count = 3
    """How often WeChat asks with one message in all."""
    answer_within: Annotated[float, Field(gt=0), AfterValidator(_in_time)] = 4.5
    """Seconds that one try may wait for its answer."""
    text_bytes: Annotated[int, Field(ge=64)] = 2048
    body_bytes: Annotated[int, Field(ge=1024)] = 256 << 10
    """The longest body of a callback that is read."""
    window: Positive = 48 * 3600.0
    """Seconds after a person's message in which the customer-service API takes messages for them."""
    quota: Count = 5
    """How many it takes in that time."""
    typing_after: Annotated[float, Field(ge=0)] = 2.0
    """Seconds of work after which the person sees that an answer is coming; 0 = never shown."""
    reply_pause: Annotated[float, Field(ge=0)] = 0.5
    """Seconds between a reply in a callback and what follows it by the API, so that they are shown in order."""
    media_bytes: Count = 20 << 20
    """The largest file that is fetched."""
    media_seconds: Positive = 60.0
    """Seconds that fetching a file may take."""
    timeout: Positive = 10.0
    """Seconds that one call of the API may take."""
    refresh_pause: Positive = 30.0
    """Seconds between two forced refreshes of the token."""
    refresh_daily: Annotated[int, Field(ge=0)] = 20
    """Forced refreshes a day."""
    refusal_pause: Annotated[float, Field(ge=0)] = 5.0
    """Seconds for which WeChat is not asked for a token again after it refused our address or secret."""

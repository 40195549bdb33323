"""Who speaks: an Identity is someone as one platform names them, a Person someone as we know them."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Someone as one platform names them.

    `channel` is the name in hub.toml, `account` the platform's account that was spoken to (app id,
    corp id, open_kfid …; "" where the channel has just one), `user` the platform's id of the person.
    Ids of two accounts are never compared: an openid is unique within its account only.
    """

    channel: str
    account: str
    user: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a platform itself vouches for about an identity, never what somebody typed.

    `kind` says how the value was proven: "unionid" (WeChat Open Platform), "jwt_sub" (signed by the
    web page's server), "external_userid", "staff_id", "feishu_union_id", "dingtalk_union_id" …
    """

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Person:
    """Someone as we know them: one id over all their identities."""

    id: int
    language: Language = "zh"
    linked: bool = False
    """Whether evidence joins more than one identity, or proves the one there is (a JWT, a directory)."""

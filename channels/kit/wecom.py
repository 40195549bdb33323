"""What WeCom's applications and its customer service have in common: how a token is asked for, and codes.

https://developer.work.weixin.qq.com/document/path/91039
https://developer.work.weixin.qq.com/document/path/90313
"""

import re
from collections.abc import Mapping

from channels.kit.api import Outcome, request
from channels.kit.cgi import MEANINGS, Cgi, Codes, Meaning
from config import Secret, fault
from hub.channel import Site

ALLOW = "add {ip} to 企业可信IP: 应用管理 → the application → 企业可信IP"
RIGHTS = "the application may not use this API: see its permissions in the console"
ADVICE = {
    40001: "secret is wrong: copy Secret from the application's page",
    40013: "corp_id is wrong: copy 企业ID from 我的企业 → 企业信息",
    60020: ALLOW,
    48002: RIGHTS,
    60011: RIGHTS,
}
CODES: Mapping[int, Meaning] = {
    **MEANINGS,
    45033: "again",  # too many calls at the same time
    60020: "blocked",
    48002: "blocked",
    60011: "blocked",
}
TOKEN_CODES = Codes({**CODES, 40001: "blocked"}, ADVICE)
"""When a token is asked for, 40001 is the secret; with every other call it is the token."""


def corporation(text: str) -> str:
    """The form of a CorpID, for a setting."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise fault("is no 企业ID; copy it from 我的企业 → 企业信息 (it begins with ww)")
    return text


def cgi(
    site: Site, base: str, *, corp_id: str, secret: Secret, name: str, codes: Codes, pause: float, seconds: float
) -> Cgi:
    """The API with the token that belongs to (corp_id, secret); `name` tells it from the corporation's other tokens."""

    async def gettoken(worn: bool) -> Outcome:
        query = {"corpid": corp_id, "corpsecret": secret.value}
        return await request(site.http, "GET", f"{base}/cgi-bin/gettoken", query=query, timeout=seconds)

    return Cgi(
        site,
        base,
        token=f"wecom:{corp_id}:{name}",
        fetch=gettoken,
        codes=codes,
        token_codes=TOKEN_CODES,
        pause=pause,
        timeout=seconds,
    )

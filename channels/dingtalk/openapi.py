"""Calls of DingTalk's API: the token, what its refusals mean, and no more of them a second than it takes.

https://open.dingtalk.com/document/orgapp/obtain-the-access_token-of-an-internal-app
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from channels.dingtalk.settings import Settings
from channels.kit.api import Api, Outcome, request
from channels.kit.directory import reached
from hub.channel import Site
from hub.coordination import Token
from hub.errors import Blocked, DeliveryError, Faulty, Impossible, Unknown
from hub.person import Evidence

TOO_OFTEN = ("QpsLimit", "Throttling", "flowControl", "TooManyRequests")
NOT_ALLOWED = ("PermissionDenied", "AccessDenied", "NotInWhiteList", "IpNotAllowed")


class OpenApi:
    """The API of one app."""

    def __init__(self, settings: Settings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._api = Api(
            http=site.http,
            base=settings.api_base,
            tokens=site.coordination.tokens,
            name=f"dingtalk:{settings.client_id}",
            fetch=self.token,
            place=lambda token: ({}, {"x-acs-dingtalk-access-token": token}),
            stale=lambda outcome: outcome.status == 401,
            timeout=settings.timeout,
        )
        self._directory = replace(
            self._api,
            base=settings.directory_base,
            place=lambda token: ({"access_token": token}, {}),
            stale=lambda outcome: outcome.body.get("errcode") in (40014, 42001),
        )

    async def token(self) -> Token:
        """A new access token. Raises DeliveryError."""
        settings = self._settings
        outcome = await request(
            self._site.http,
            "POST",
            settings.api_base.rstrip("/") + "/v1.0/oauth2/accessToken",
            {"appKey": settings.client_id, "appSecret": settings.client_secret.value},
            timeout=settings.timeout,
        )
        value, seconds = outcome.body.get("accessToken"), outcome.body.get("expireIn")
        if isinstance(value, str) and value and isinstance(seconds, int):
            return Token(value, float(seconds))
        if outcome.status < 400:
            raise Faulty("no token in the answer", code=_code(outcome))
        raise Blocked("no token", code=_code(outcome), advice="check client_id and client_secret of this channel")

    async def call(self, method: str, path: str, body: object) -> Mapping[str, Any]:
        """One call; the answer where DingTalk took it. Raises DeliveryError."""
        await self._slot(path)
        outcome = await self._api.call(method, path, body)
        if outcome.status >= 400:
            raise refusal(outcome)
        if not outcome.body:  # a proxy on the way answered in DingTalk's place
            raise Unknown("an answer without JSON", code="no_json")
        return outcome.body

    async def member(self, user: str) -> tuple[Evidence, ...]:
        """How a member is reached, as far as the app may see it. Raises DeliveryError.

        https://open.dingtalk.com/document/orgapp/query-user-details
        """
        await self._slot("/topapi/v2/user/get")
        outcome = await self._directory.call("POST", "/topapi/v2/user/get", {"userid": user})
        found = outcome.body.get("result")
        if outcome.status >= 400 or outcome.body.get("errcode") or not isinstance(found, Mapping):
            raise Impossible("the directory refuses", code=str(outcome.body.get("errcode") or outcome.status))
        own = (Evidence("dingtalk_union_id", str(found["unionid"])),) if found.get("unionid") else ()
        return (*own, *reached(found, email=("org_email", "email")))

    async def _slot(self, path: str) -> None:
        """Waits until one more call of this API fits into the second."""
        name = f"dingtalk:{self._settings.client_id}:{path}"
        limits = self._site.coordination.limits
        while True:
            if not (wait := await limits.take(name, limit=self._settings.api_rate, seconds=1.0)):
                return
            await asyncio.sleep(wait)


def refusal(outcome: Outcome) -> DeliveryError:
    """What an answer with a 4xx means: https://open.dingtalk.com/document/orgapp/server-api-error-codes-1."""
    code = _code(outcome)
    if any(word in code for word in TOO_OFTEN):
        return Faulty("too many calls", code=code, after=1.0)
    if outcome.status in (401, 403) or any(word in code for word in NOT_ALLOWED):
        return Blocked("not allowed", code=code, advice=_advice(outcome, code))
    return Impossible("refused", code=code)


def _advice(outcome: Outcome, code: str) -> str:
    if "Ip" in code or "WhiteList" in code:
        return "add the address of this server to the app's allowed addresses (服务器出口 IP)"
    detail = outcome.body.get("accessdenieddetail")
    scopes = detail.get("requiredScopes") if isinstance(detail, Mapping) else None
    named = "、".join(map(str, scopes)) if isinstance(scopes, list) else "qyapi_robot_sendmsg, Card.Instance.Write"
    return f"grant the app the permission for it in the developer console ({named})"


def _code(outcome: Outcome) -> str:
    return str(outcome.body.get("code") or outcome.status)

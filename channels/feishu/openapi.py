"""Calls of Feishu's API: the token, what its refusals mean, and no more of them than it takes.

Codes for all APIs  https://open.feishu.cn/document/server-docs/api-call-guide/generic-error-code
Codes of messages   https://open.feishu.cn/document/server-docs/im-v1/message/reply
Limits              https://open.feishu.cn/document/server-docs/api-call-guide/frequency-control

Every call here may be made twice: messages carry a uuid (the same uuid gives one message within an hour), changes of
a card state its whole content. So an answer that got lost is a fault to try again, never a doubt.
"""

import asyncio
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from yarl import URL

from channels.feishu.settings import Settings
from channels.kit.api import Api, Outcome, request, wait_of
from channels.kit.directory import reached
from channels.kit.download import download
from hub.channel import Site
from hub.coordination import Token
from hub.errors import Blocked, Closed, DeliveryError, Faulty, Impossible, Unknown
from hub.person import Evidence

STALE = frozenset({99991661, 99991663, 99991664, 99991668, 99991671, 99991677})
"""The token is missing, wrong or over."""
LATER = {230020, 11232, 11233, 99991400, 230049, 200810, 300120, 2200, 1500, 1551, 55001, 90217}
"""Too often (230020 is no refusal of the receiver), busy with this very message or card, a fault inside."""
ADVICE = {
    10003: "check app_id and app_secret of this channel",
    10014: "check app_id and app_secret of this channel",
    10015: "check app_id and app_secret of this channel",
    10012: "check app_id and app_secret of this channel",
    99991401: "add the address of this server to the app's IP allow-list (安全设置 → IP 白名单)",
    99991662: "the app is not enabled in this tenant: publish a version and have it approved",
    99991672: "grant the app the permission (权限管理) and publish a version",
    99991679: "grant the app the permission (权限管理) and publish a version",
    230006: "switch the bot on (应用能力 → 机器人) and publish a version",
    230027: "grant the app im:message:send_as_bot (权限管理) and publish a version",
}
"""What the operator has to do."""
SHUT = {
    230002: "the bot is not in the group",
    230013: "the person is outside the range in which the app may be used (可用范围)",
    230018: "the group lets only some members speak",
    230035: "the group or the person takes no messages of the bot",
    230053: "the person takes no messages of the bot",
    230101: "messages to this person are not possible for now",
}
"""Nothing is taken now; the person's next message may show that it is again."""
WINDOW = 1.1
"""Seconds in which so many calls fit as Feishu takes in one; what is more is what the way there adds."""
SCOPE = re.compile(r"\b[a-z_]+(?::[a-z_.]+)+\b")


class OpenApi:
    """The API of one app."""

    def __init__(self, settings: Settings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._name = f"feishu:{settings.app_id}"
        self._api = Api(
            http=site.http,
            base=settings.api_base,
            tokens=site.coordination.tokens,
            name=self._name,
            fetch=self.token,
            place=lambda token: ({}, {"Authorization": f"Bearer {token}"}),
            stale=lambda outcome: outcome.body.get("code") in STALE,
            timeout=settings.timeout,
        )

    async def token(self) -> Token:
        """A new tenant_access_token. Raises DeliveryError."""
        body = (await self.authorise()).body
        value, seconds = body.get("tenant_access_token"), body.get("expire")
        if not isinstance(value, str) or not value or not isinstance(seconds, int):
            raise Faulty("no token in the answer", code=str(body.get("code", "")))
        return Token(value, float(seconds))

    async def authorise(self) -> Outcome:
        """Asks for a token. Raises DeliveryError."""
        settings = self._settings
        body = {"app_id": settings.app_id, "app_secret": settings.app_secret.value}
        url = settings.api_base.rstrip("/") + "/open-apis/auth/v3/tenant_access_token/internal"
        try:
            outcome = await request(self._site.http, "POST", url, body, timeout=settings.timeout)
        except Unknown as error:
            raise Faulty(str(error), code=error.code) from None
        if refused := refusal(outcome):
            raise refused
        return outcome

    async def call(
        self, method: str, path: str, body: object = None, *, query: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """One call below /open-apis; what Feishu answered. Raises DeliveryError, but never Unknown."""
        await self.slot("app", self._settings.app_rate)
        try:
            outcome = await self._api.call(method, "/open-apis" + path, body, query=query)
            if refused := refusal(outcome):
                raise refused
        except Unknown as error:
            raise Faulty(str(error), code=error.code) from None
        except Blocked as error:
            self._warn(f"Feishu refuses calls ({error.code}): {error.advice}")
            raise
        self._warn("")
        return outcome.body

    async def member(self, user: str) -> tuple[Evidence, ...]:
        """How a member is reached, as far as the app has the permission for each field. Raises DeliveryError.

        https://open.feishu.cn/document/server-docs/contact-v3/user/get
        """
        path = f"/contact/v3/users/{quote(user, safe='')}"
        data = (await self.call("GET", path, query={"user_id_type": "open_id"})).get("data")
        found = data.get("user") if isinstance(data, Mapping) else None
        return reached(found, email=("enterprise_email", "email")) if isinstance(found, Mapping) else ()

    def _warn(self, text: str) -> None:
        """Shows what the operator has to do, until a call succeeds."""
        self._site.warn("api", text)

    async def slot(self, what: str, limit: int) -> None:
        """Waits until one more of this fits into the second."""
        take = partial(self._site.coordination.limits.take, f"{self._name}:{what}", limit=limit, seconds=WINDOW)
        while True:
            if not (wait := await take()):
                return
            await asyncio.sleep(wait)

    async def download(self, path: str, query: Mapping[str, str]) -> bytes:
        """The bytes of a resource, of at most `media_bytes`. Raises DeliveryError."""
        await self.slot("app", self._settings.app_rate)
        settings = self._settings
        token = await self._api.tokens.get(self._name, self.token)
        url = URL(settings.api_base.rstrip("/") + "/open-apis" + path) % query
        return await download(
            self._site.http,
            str(url),
            most=settings.media_bytes,
            seconds=settings.media_seconds,
            headers={"Authorization": f"Bearer {token}"},
        )


def refusal(outcome: Outcome) -> DeliveryError | None:
    """What an answer means that is no success; None for a success."""
    number, said = outcome.body.get("code"), str(outcome.body.get("msg", ""))
    if number == 0:
        return None
    if not isinstance(number, int):
        return Faulty(f"HTTP {outcome.status}", code=str(outcome.status))
    code = str(number)
    if number in LATER or number in STALE:
        return Faulty("not now", code=code, after=wait_of(outcome))
    if advice := ADVICE.get(number):
        scopes = ", ".join(dict.fromkeys(SCOPE.findall(said))) if number in (99991672, 99991679) else ""
        return Blocked("not allowed", code=code, advice=f"{advice}: {scopes}" if scopes else advice)
    if why := SHUT.get(number):
        return Closed(why, code=code)
    return Impossible("refused", code=code)

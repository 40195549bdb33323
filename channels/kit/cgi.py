"""The APIs of WeChat and WeCom, both below /cgi-bin: an errcode in every answer, whatever the HTTP status says.

Each channel brings the codes that it knows, with what they mean for a message
(https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html,
https://developer.work.weixin.qq.com/document/path/90313).
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from channels.kit.api import Api, Outcome
from channels.kit.download import download
from channels.kit.hosts import trusted
from hub.channel import Site
from hub.coordination import Token
from hub.errors import Blocked, Closed, DeliveryError, Faulty, Impossible, Unknown

Meaning = Literal["again", "later", "closed", "blocked", "never"]
"""again: a fault, with backoff; later: a limit or a token, in a minute; closed: with the person's next message;
blocked: the operator must act; never: this message is not taken."""

STALE = frozenset({40001, 40014, 42001})
MEANINGS: Mapping[int, Meaning] = {
    -1: "again",
    45009: "later",
    45011: "later",
    **dict.fromkeys(STALE, "later"),
    40013: "blocked",
    40125: "blocked",
    45002: "never",
    44004: "never",
    40007: "never",  # the file is gone, or never was
}
WARNING = "api"
"""The key of the warning that our address or our credentials are refused."""
VIDEO_HOSTS = (".qq.com",)
"""Where videos lie, besides the API's own host."""
LATER = 60.0
"""Seconds until a limit a minute is over, and until a token that was refused twice is tried again."""
ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}", re.I)


def errcode(outcome: Outcome) -> int:
    """The platform's code, 0 when all is well."""
    code = outcome.body.get("errcode", 0)
    return code if isinstance(code, int) else -1


def _guess(code: int) -> Meaning:
    """A code that nobody knows: 40, 41, 43, 44, 46 and 47 thousand say that the call itself is wrong, which no
    other time makes right. All others are kept for the person's next message: not tried on a timer, and not lost.
    """
    return "never" if code // 1000 in (40, 41, 43, 44, 46, 47) else "closed"


@dataclass(frozen=True, slots=True)
class Codes:
    """What the codes of one platform mean, and the advice for those that the operator must act on.

    `{ip}` in an advice is the address that the platform saw.
    """

    meanings: Mapping[int, Meaning]
    advice: Mapping[int, str] = field(default_factory=dict)

    def error(self, outcome: Outcome) -> DeliveryError | None:
        """What an outcome means; None when it is a success."""
        if outcome.status != 200:
            return Faulty(f"HTTP {outcome.status}", code=str(outcome.status))
        if not outcome.body:
            return Unknown("an answer without JSON", code="no_json")
        code = errcode(outcome)
        return self._named(code, str(outcome.body.get("errmsg", ""))[:200]) if code else None

    def _named(self, code: int, said: str) -> DeliveryError:
        name, text = str(code), f"errcode {code}: {said}"
        match self.meanings.get(code) or _guess(code):
            case "again":
                return Faulty(text, code=name)
            case "later":
                return Faulty(text, code=name, after=LATER)
            case "blocked":
                address = found[0] if (found := ADDRESS.search(said)) else "the address of this server"
                return Blocked(text, code=name, advice=self.advice.get(code, "").format(ip=address))
            case "never":
                return Impossible(text, code=name)
            case _:
                return Closed(text, code=name)


class Cgi:
    """Calls with the account's token. A refusal that the operator must act on shows as a warning until a call succeeds.

    `token` names the token among replicas. `fetch` asks the platform for one; it is told whether a token was refused
    that had just been brought. `token_codes` are the codes of that call. After a refusal it is not made again for
    `pause` seconds: WeCom shuts an address out for an hour that brings a wrong secret again and again.
    """

    def __init__(
        self,
        site: Site,
        base: str,
        *,
        token: str,
        fetch: Callable[[bool], Awaitable[Outcome]],
        codes: Codes,
        token_codes: Codes,
        pause: float,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._site, self._fetch, self._base = site, fetch, base
        self._codes, self._token_codes = codes, token_codes
        self._pause, self._clock = pause, clock
        self._refusal: Blocked | None = None
        self._refused_until = 0.0
        self._worn = False
        self._api = Api(
            http=site.http,
            base=base,
            tokens=site.coordination.tokens,
            name=token,
            fetch=self.fetch,
            place=lambda value: ({"access_token": value}, {}),
            stale=lambda outcome: errcode(outcome) in STALE,
            timeout=timeout,
        )

    async def call(
        self, method: str, path: str, sent: object = None, *, query: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """One call; its body. Raises DeliveryError."""
        outcome = await self._api.call(method, path, sent, query=query)
        if error := self._codes.error(outcome):
            self._worn = errcode(outcome) in STALE
            raise self._noted(error)
        self._site.warn(WARNING, "")
        return outcome.body

    async def media(self, media_id: str, *, most: int, seconds: float) -> bytes:
        """The bytes of a temporary file, which is there for three days. Raises DeliveryError.

        Of a video the Official Account's API tells where it lies: on a host of Tencent, or it is not fetched.

        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html
        https://developer.work.weixin.qq.com/document/path/90254
        """
        if not media_id:
            raise Impossible("the message named no file", code="no_file")
        query = {"media_id": media_id}
        found = await self._api.file("/cgi-bin/media/get", query=query, most=most, seconds=seconds)
        if isinstance(found, bytes):
            return found
        if error := self._codes.error(found):
            raise self._noted(error)
        if isinstance(video := found.body.get("video_url"), str) and video:
            return await download(self._site.http, self._video(video), most=most, seconds=seconds)
        raise Impossible("there is no file in the answer", code="no_file")

    def _video(self, url: str) -> str:
        """The address over TLS, whatever was named. Raises Impossible for a host that is none of theirs."""
        if trusted(url, self._base):
            return url
        secure = re.sub(r"^http://", "https://", url, flags=re.IGNORECASE)
        if not trusted(secure, self._base, VIDEO_HOSTS):
            raise Impossible("the video lies on a foreign host", code="host")
        return secure

    async def fetch(self) -> Token:
        """A new token. Nothing was sent when it fails, so that it never raises Unknown."""
        if self._refusal and self._clock() < self._refused_until:
            raise Blocked(str(self._refusal), code=self._refusal.code, advice=self._refusal.advice)
        try:
            outcome = await self._fetch(self._worn)
        except Unknown as error:
            raise Faulty(f"no token: {error}", code=error.code) from None
        if wrong := self._token_codes.error(outcome):
            known = isinstance(wrong, Blocked | Faulty)
            raise self._noted(wrong if known else Faulty(f"no token: {wrong}", code=wrong.code, after=LATER))
        self._refusal, self._worn = None, False
        value, seconds = outcome.body.get("access_token"), outcome.body.get("expires_in")
        if not isinstance(value, str) or not value or not isinstance(seconds, int):
            raise Faulty("the answer has no token", code="no_token")
        return Token(value, float(seconds))

    def _noted(self, error: DeliveryError) -> DeliveryError:
        """Warns of what the operator must act on."""
        if isinstance(error, Blocked):
            self._refusal, self._refused_until = error, self._clock() + self._pause
            self._site.warn(WARNING, f"{error}. {error.advice}".strip())
        return error

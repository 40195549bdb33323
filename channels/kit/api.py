"""One client for the APIs of all platforms: a token for all, one refresh a failure, transport faults as DeliveryErrors.

What a code of one platform means stays in that platform's module. No URL, header or body of a call ever
stands in an error or a log line: tokens travel in them.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from channels.kit.download import receive
from hub.coordination import Token, Tokens
from hub.errors import Faulty, Unknown

MOST_BYTES = 8 << 20
"""The longest answer that is read; media go through `download`."""
WAIT_HEADERS = ("retry-after", "x-ogw-ratelimit-reset")
"""Where a platform says how many seconds to wait."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: the HTTP status, the JSON object ({} where there was none) and the headers, in lower case."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Api:
    """Calls below `base`, with the token that `fetch` brings.

    `place` says where a token goes: given the token it returns (query, headers). `stale` says that an
    outcome means "this token is no longer good". `name` names the token among all replicas.
    """

    http: aiohttp.ClientSession
    base: str
    tokens: Tokens
    name: str
    fetch: Callable[[], Awaitable[Token]]
    place: Callable[[str], tuple[Mapping[str, str], Mapping[str, str]]]
    stale: Callable[[Outcome], bool]
    timeout: float = 10.0

    async def call(
        self, method: str, path: str, body: object = None, *, query: Mapping[str, str] | None = None
    ) -> Outcome:
        """One call; once more with a new token where the platform no longer takes the one in use.

        Raises Faulty (nothing arrived, or a 5xx or 429) and Unknown (it may have arrived), and what `fetch` raises.
        """
        token = await self.tokens.get(self.name, self.fetch)
        outcome = await self._once(method, path, body, query or {}, token)
        if self.stale(outcome):
            token = await self.tokens.get(self.name, self.fetch, refused=token)
            outcome = await self._once(method, path, body, query or {}, token)
        return outcome

    async def file(self, path: str, *, query: Mapping[str, str], most: int, seconds: float) -> Outcome | bytes:
        """A file of at most `most` bytes, or what the platform says in its place. Raises as `call`, and Impossible."""
        token = await self.tokens.get(self.name, self.fetch)
        found = await self._file(path, query, token, most, seconds)
        if isinstance(found, Outcome) and self.stale(found):
            token = await self.tokens.get(self.name, self.fetch, refused=token)
            found = await self._file(path, query, token, most, seconds)
        return found

    async def _file(
        self, path: str, query: Mapping[str, str], token: str, most: int, seconds: float
    ) -> Outcome | bytes:
        params, headers = self.place(token)
        url, asked = self.base.rstrip("/") + path, {**query, **params}
        received = await receive(self.http, url, most=most, seconds=seconds, headers=headers, query=asked)
        return received.raw if received.attached else _outcome(200, received.raw, {})

    async def _once(self, method: str, path: str, body: object, query: Mapping[str, str], token: str) -> Outcome:
        params, headers = self.place(token)
        return await request(
            self.http,
            method,
            self.base.rstrip("/") + path,
            body,
            query={**query, **params},
            headers=headers,
            timeout=self.timeout,
        )


async def request(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    body: object = None,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10.0,  # noqa: ASYNC109 — handed on to aiohttp, which ends the connection as well
) -> Outcome:
    """One JSON call without a token. Raises Faulty and Unknown as Api.call does; redirects are not followed."""
    data = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    sent = {"Content-Type": "application/json; charset=utf-8"} if data is not None else {}
    try:
        async with http.request(
            method,
            url,
            data=data,
            params=query or None,
            headers={**sent, **(headers or {})},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, 5.0)),
        ) as response:
            raw = await _whole(response.content)
            return _outcome(response.status, raw, response.headers)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Faulty(f"no connection ({type(error).__name__})", code="connection") from None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unknown(f"no answer ({type(error).__name__})", code="no_answer") from None


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """All of an answer, up to MOST_BYTES; one read gives only what has arrived by then."""
    raw = bytearray()
    async for chunk in content.iter_any():
        raw += chunk
        if len(raw) >= MOST_BYTES:
            break
    return bytes(raw)


def _outcome(status: int, raw: bytes, headers: Mapping[str, str]) -> Outcome:
    try:
        body = json.loads(raw)
    except ValueError:
        body = {}
    outcome = Outcome(status, body if isinstance(body, dict) else {}, {k.lower(): v for k, v in headers.items()})
    if status == 429 or status >= 500:
        raise Faulty(f"HTTP {status}", code=str(status), after=wait_of(outcome))
    return outcome


def wait_of(outcome: Outcome) -> float | None:
    """The seconds that the platform asks us to wait; None where it does not say."""
    said = next((outcome.headers[name] for name in WAIT_HEADERS if name in outcome.headers), "")
    return float(said) if said.isdigit() else None

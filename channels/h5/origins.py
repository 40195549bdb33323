"""From where browsers may come: allowed origins, the CORS headers that say so, and the address behind a proxy.

A browser lets any page open a WebSocket to any host, so the Origin is checked at the handshake too. A client
without one is no browser; it has nobody's cookies, and no token but its own. Answers never allow credentials:
who a visitor is stands in the Authorization header alone, which no foreign page can send in their name.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import NamedTuple

from aiohttp import web

from channels.h5.protocol import Fault
from hub.person import Language

Networks = tuple[IPv4Network | IPv6Network, ...]


class Origins(NamedTuple):
    """Origins as browsers write them, compared letter by letter."""

    allowed: frozenset[str]

    @classmethod
    def of(cls, allowed: Iterable[str]) -> "Origins":
        """From normalised origins."""
        return cls(frozenset(allowed))

    def check(self, request: web.Request) -> None:
        """Raises Fault for a page that may not speak to this channel."""
        given = request.headers.getall("Origin", [])
        if len(given) > 1 or any(origin not in self.allowed for origin in given):
            raise Fault("origin_refused")

    def headers(self, request: web.Request) -> dict[str, str]:
        """What lets the page read the answer; nothing for one that may not."""
        origin = request.headers.get("Origin", "")
        if origin not in self.allowed:
            return {"Vary": "Origin"}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin"}

    def preflight(self, request: web.Request) -> web.Response:
        """What a browser asks before it sends an Authorization header."""
        headers = self.headers(request)
        if "Access-Control-Allow-Origin" not in headers:
            return web.Response(status=403, headers=headers)
        allowed = {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "authorization, content-type, last-event-id",
            "Access-Control-Max-Age": "600",
        }
        return web.Response(status=204, headers=headers | allowed)


def address(request: web.Request, proxies: Networks) -> str:
    """Who is at the other end: the last address that no proxy of ours has, an IPv6 one by its network of 64 bits."""
    hops = [request.remote or "", *_forwarded(request)]
    found = next((hop for hop in hops if not _within(hop, proxies)), hops[-1])
    try:
        parsed = ip_address(found)
    except ValueError:
        return found
    return f"{parsed.exploded[:19]}/64" if parsed.version == 6 else found


def _forwarded(request: web.Request) -> list[str]:
    """X-Forwarded-For, nearest first; only as far as it consists of addresses."""
    listed = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    hops = []
    for hop in reversed(listed):
        try:
            hops.append(str(ip_address(hop.strip())))
        except ValueError:
            break
    return hops


def _within(hop: str, proxies: Networks) -> bool:
    try:
        return any(ip_address(hop) in network for network in proxies)
    except ValueError:
        return False


def language(request: web.Request) -> Language:
    """The first language of the browser that we speak; Chinese where it says nothing of the kind."""
    for tag in request.headers.get("Accept-Language", "").split(","):
        if tag.strip().lower()[:2] in ("zh", "en"):
            return "zh" if tag.strip().lower().startswith("zh") else "en"
    return "zh"

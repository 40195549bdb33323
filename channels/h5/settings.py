"""The section of a web channel in hub.toml; every limit is a key."""

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from config import ChannelSection, Secret
from config.sections import Count
from config.settings import fault

Seconds = Annotated[float, Field(gt=0)]

HOST = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")
PORTS = {"http": 80, "https": 443}
SECRET_BYTES = 32
"""A key for HS256 has at least as many bytes as its hash: RFC 7518, section 3.2."""


def origin(url: str) -> str:
    """The origin of a URL as browsers write it: lower case, no default port, non-ASCII names in Punycode."""
    parts = urlsplit(url.strip())
    host, port = parts.hostname or "", parts.port
    if not host.isascii():
        host = host.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in PORTS or not HOST.fullmatch(host):
        raise ValueError
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, PORTS[parts.scheme]) else "")


def _allowed(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError
        return origin(url)
    except ValueError:  # UnicodeError is one
        raise fault('write each origin in full, like "https://shop.example"; there is no "*"') from None


def _long_enough(secret: Secret | None) -> Secret | None:
    if secret is not None and len(secret.value.encode()) < SECRET_BYTES:
        raise fault(f"needs at least {SECRET_BYTES} bytes, for example from: openssl rand -hex 32")
    return secret


class Settings(ChannelSection):
    """Web pages may embed the widget from `allowed_origins` alone; the hub's own public_url is always allowed."""

    kind: Literal["h5"] = "h5"
    allowed_origins: tuple[Annotated[str, AfterValidator(_allowed)], ...] = ()
    identity_secret: Annotated[Secret | None, AfterValidator(_long_enough)] = None
    """The key of the JWTs with which the web page names its visitors; left out: visitors stay anonymous."""
    identity_leeway: Annotated[int, Field(ge=0)] = 30
    """Seconds by which the clocks of the web page's server and of the hub may differ."""

    identity_days: Count = 30
    """A JWT that would hold for longer is refused."""

    rate: Annotated[int, Field(ge=0)] = 30
    """Messages a minute and visitor. 0 = no limit."""
    address_rate: Count = 100
    """So many times `rate` for all visitors of one address together."""
    visitor_connections: Count = 10
    """Open connections of one visitor, in each replica."""
    address_connections: Count = 1000
    """Open connections of one address, in each replica."""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks of the reverse proxies whose X-Forwarded-For names the visitor's address."""

    text_characters: Count = 10_000
    """Characters in one message."""
    frame_bytes: Annotated[int, Field(ge=16_384)] = 65_536
    """Bytes in one frame or in the body of one POST."""
    hello_within: Seconds = 10
    """Seconds within which a WebSocket says hello."""
    heartbeat: Seconds = 15
    """Seconds of silence after which a connection is tried."""
    slow: Seconds = 20
    """Seconds that a connection may take for what it is sent; then it is closed, and resumes."""
    delta_interval: Annotated[float, Field(ge=0)] = 0.05
    """Seconds between two pieces of an answer that is being written."""

    def warnings(self) -> list[str]:
        """Without an origin there is no page that could show the widget."""
        if not self.allowed_origins:
            return [
                'allowed_origins: is empty, so no web page can show the widget; write them like "https://shop.example"'
            ]
        return []

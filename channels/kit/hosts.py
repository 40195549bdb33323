"""Which URLs that a platform sends may be followed: those of the configured base and of the documented hosts."""

from collections.abc import Iterable

from yarl import URL

SECURE = frozenset({"https", "wss"})
SCHEMES = SECURE | {"http", "ws"}


def trusted(url: str, base: str, hosts: Iterable[str] = ()) -> bool:
    """Whether `url` has the host and port of `base`, or leads over TLS to one of `hosts` (".x.com": all below it)."""
    try:
        asked, own = URL(url), URL(base)
    except (ValueError, TypeError):
        return False
    if asked.scheme not in SCHEMES or not asked.host or asked.user is not None or asked.password is not None:
        return False
    if (asked.host, asked.port) == (own.host, own.port):
        return (asked.scheme in SECURE) == (own.scheme in SECURE)
    return asked.scheme in SECURE and asked.port == 443 and any(_covers(host, asked.host) for host in hosts)


def _covers(pattern: str, host: str) -> bool:
    return host.endswith(pattern) if pattern.startswith(".") else host == pattern

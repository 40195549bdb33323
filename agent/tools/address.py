"""Which addresses a tool may connect to: those that its host has now, checked before the connection is made to them.

The connection goes to an address that was checked, not to the name again: a name that changes its address between the
two (DNS rebinding) gains nothing. https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import asyncio
import ipaddress
import socket

from agent.engine import ToolFailed

UNREACHABLE = "这个工具的服务器现在连不上。"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
CLOUDS = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"))
)
"""Where clouds keep their credentials besides the link-local addresses: Alibaba, Azure, Oracle, Amazon and Google."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(ToolFailed):
    """The host has an address inside a private network, which the tool may not reach."""


def permitted(text: str, *, private: bool) -> bool:
    """Whether an address may be connected to. Those where clouds keep their credentials never are."""
    address = _meant(ipaddress.ip_address(text))
    if address in CLOUDS or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    return private or (address.is_global and not address.is_reserved)


def _meant(address: Address) -> Address:
    """The IPv4 address inside one of IPv6 that stands for it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


async def addresses(host: str, port: int, *, private: bool) -> list[str]:
    """All addresses of a host. Raises Forbidden where any of them is not permitted, ToolFailed where there is none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise ToolFailed(UNREACHABLE) from None
    texts = list(dict.fromkeys(str(info[4][0]).partition("%")[0] for info in found))
    if not texts:
        raise ToolFailed(UNREACHABLE)
    if not all(permitted(text, private=private) for text in texts):
        raise Forbidden(UNREACHABLE)
    return texts

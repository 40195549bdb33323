"""What WeChat vouches for about a follower: the UnionID that they have in all accounts of one Open Platform account.

https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog

from hub.errors import DeliveryError
from hub.person import Evidence

log = structlog.get_logger()

KNOWN = 10_000
"""Followers whose UnionID was asked for by this process."""

Ask = Callable[[str], Awaitable[str]]
"""openid → UnionID, "" where there is none. Raises DeliveryError."""


class Followers:
    """Asks once for each follower, and never longer than `within`: WeChat waits for the message to be taken."""

    def __init__(self, ask: Ask, *, within: float) -> None:
        self._ask, self._within = ask, within
        self._known: OrderedDict[str, tuple[Evidence, ...]] = OrderedDict()
        self._closed = False

    async def evidence(self, openid: str) -> tuple[Evidence, ...]:
        """() while nothing is known."""
        if self._closed or openid in self._known:
            return self._known.get(openid, ())
        try:
            async with asyncio.timeout(self._within):
                unionid = await self._ask(openid)
        except TimeoutError:
            return ()
        except DeliveryError as error:
            self._closed = error.code == "48001"  # the account may not ask
            log.info("no UnionID", code=error.code)
            return ()
        self._known[openid] = (Evidence("unionid", unionid),) if unionid else ()
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return self._known[openid]

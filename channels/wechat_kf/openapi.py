"""The calls that customer service needs.

https://developer.work.weixin.qq.com/document/path/94677 (send_msg)
https://developer.work.weixin.qq.com/document/path/94669 (service_state)
https://developer.work.weixin.qq.com/document/path/95122 (send_msg_on_event)
https://developer.work.weixin.qq.com/document/path/95159 (customer/batchget)
"""

from collections.abc import Sequence
from enum import IntEnum

from pydantic import ValidationError

from channels.kit import wecom, xml
from channels.kit.cgi import Codes
from channels.kit.harmless import untagged
from channels.wechat_kf.payload import Answered
from channels.wechat_kf.settings import Settings
from hub.channel import Site
from hub.errors import DeliveryError, Faulty, Impossible, Unknown

DESK = "authorise the desk (客服账号) for API: 微信客服 → API → 可调用接口的应用"
CODES = Codes(
    meanings={
        **wecom.CODES,
        95000: "never",  # no such desk
        95001: "closed",  # all messages of the window are used
        95002: "closed",  # 48 hours are over
        95007: "again",  # the bell's token is over or wrong
        95013: "closed",  # the session has ended
        95018: "closed",  # the session is not ours
        95004: "blocked",
        95017: "blocked",
        60030: "blocked",
    },
    advice={**wecom.ADVICE, 95004: DESK, 95017: DESK, 60030: DESK},
)
MOST_CUSTOMERS = 100
"""Customers that one call of batchget takes."""


class State(IntEnum):
    """Who has a session; the API may only speak in the first two."""

    NEW = 0
    HUB = 1
    QUEUE = 2
    PERSON = 3
    ENDED = 4


SILENT = (State.QUEUE, State.PERSON)


class OpenApi:
    """Calls for the desks of one corporation. All raise DeliveryError."""

    def __init__(self, settings: Settings, site: Site) -> None:
        self._settings = settings
        self._cgi = wecom.cgi(
            site,
            settings.api_base,
            corp_id=settings.corp_id,
            secret=settings.secret,
            name="kf",
            codes=CODES,
            pause=settings.refusal_pause,
            seconds=settings.timeout,
        )

    async def sync(self, desk: str, cursor: str, token: str) -> Answered:
        """The page after the cursor. Without the bell's token it may be asked for only rarely."""
        body: dict[str, object] = {"open_kfid": desk, "limit": self._settings.page}
        if cursor:
            body["cursor"] = cursor
        if token:
            body["token"] = token
        answer = await self._cgi.call("POST", "/cgi-bin/kf/sync_msg", body)
        try:
            return Answered.model_validate(answer)
        except ValidationError as error:
            raise Faulty(f"sync_msg answers with another form ({error.error_count()} faults)", code="form") from None

    async def send(self, desk: str, customer: str, text: str, *, msgid: str) -> str:
        """One message; its id. The same `msgid` is never shown twice."""
        body = {"touser": customer, "open_kfid": desk, "msgid": msgid, "msgtype": "text", "text": _words(text)}
        done = await self._cgi.call("POST", "/cgi-bin/kf/send_msg", body)
        return str(done.get("msgid", ""))

    async def send_on_event(self, code: str, text: str) -> None:
        """The one message that a welcome or a change of state allows; it costs nothing of the quota."""
        await self._cgi.call(
            "POST", "/cgi-bin/kf/send_msg_on_event", {"code": code, "msgtype": "text", "text": _words(text)}
        )

    async def state(self, desk: str, customer: str) -> int:
        """Who has the session."""
        body = {"open_kfid": desk, "external_userid": customer}
        found = (await self._cgi.call("POST", "/cgi-bin/kf/service_state/get", body)).get("service_state", 0)
        return found if isinstance(found, int) else State.NEW

    async def move(self, desk: str, customer: str, state: State) -> str:
        """Gives the session to somebody else; the code with which one more message may be said."""
        body = {"open_kfid": desk, "external_userid": customer, "service_state": int(state)}
        return str((await self._cgi.call("POST", "/cgi-bin/kf/service_state/trans", body)).get("msg_code", ""))

    async def unionids(self, customers: Sequence[str]) -> dict[str, str]:
        """The UnionID of each customer that has one (the corporation is bound to an Open Platform account)."""
        found: dict[str, str] = {}
        for start in range(0, len(customers), MOST_CUSTOMERS):
            body = {"external_userid_list": list(customers[start : start + MOST_CUSTOMERS])}
            listed = (await self._cgi.call("POST", "/cgi-bin/kf/customer/batchget", body)).get("customer_list") or []
            found |= {str(c["external_userid"]): str(c["unionid"]) for c in listed if c.get("unionid")}
        return found

    async def media(self, media_id: str) -> bytes:
        """The bytes of a file that a customer sent."""
        return await self._cgi.media(media_id, most=self._settings.media_bytes, seconds=self._settings.media_seconds)

    async def token(self) -> object:
        """A token straight from WeCom, to see whether it gives one."""
        return await self._cgi.fetch()

    async def desks(self) -> object:
        """The desks that this secret may use."""
        return await self._cgi.call("POST", "/cgi-bin/kf/account/list", {"offset": 0, "limit": 100})


def _words(text: str) -> dict[str, str]:
    words = untagged(xml.clean(text))
    if not words.strip():
        raise Impossible("a message without words", code="empty")
    return {"content": words}


def harmless(error: DeliveryError) -> DeliveryError:
    """Of a call that only asks: nothing was sent that may have arrived."""
    return Faulty(str(error), code=error.code) if isinstance(error, Unknown) else error

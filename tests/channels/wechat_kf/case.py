"""What the facts of all channels need to know of customer service: a bell comes in, and messages are fetched."""

from typing import Any

from channels.kit import xml
from channels.simulators.pushes import Account
from channels.simulators.wechat_kf import entry
from channels.wechat_kf.channel import CustomerService
from channels.wechat_kf.settings import Settings
from config import Secret
from hub.channel import Channel
from tests.channels.conformance.case import Call, Case, Door, now, within
from tests.channels.conformance.world import Api

CORP, SECRET, TOKEN = "wwkf00000000000001", "secret-of-customer-service", "token-of-the-callback"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
DESK, CUSTOMER = "wkDESK", "wmCUSTOMER"


class Service(Case):
    """One desk."""

    kind = "wechat_kf"
    secrets = (SECRET, TOKEN, KEY)
    proofs = ("msg_signature", "timestamp", "nonce")

    def settings(self, api: str) -> Settings:
        return Settings(
            corp_id=CORP,
            secret=Secret(SECRET),
            token=Secret(TOKEN),
            encoding_aes_key=Secret(KEY),
            api_base=api,
        )

    async def begin(self, world: Door) -> None:
        world.api.serves["/cgi-bin/kf/service_state/get"] = lambda asked: {"errcode": 0, "service_state": 0}
        world.api.serves["/cgi-bin/kf/customer/batchget"] = lambda asked: {"errcode": 0, "customer_list": []}

    def message(self, words: str, key: str, api: Api) -> bytes:
        """The message waits until the bell is rung, and is handed out as often as it is asked for."""
        page = [entry(DESK, CUSTOMER, words, msgid=f"m{key}")]

        def sync(asked: dict[str, Any]) -> dict[str, Any]:
            return {"errcode": 0, "next_cursor": f"c{key}", "has_more": 0, "msg_list": page}

        api.serves["/cgi-bin/kf/sync_msg"] = sync
        bell = {"ToUserName": CORP, "MsgType": "event", "Event": "kf_msg_or_event", "Token": "t", "OpenKfId": DESK}
        return xml.fields({**bell, "CreateTime": "1700000000"})

    def sign(self, inside: bytes, *, at: float | None = None) -> Call:
        query, body = Account("", TOKEN, KEY, CORP).signed(inside, at=int(now(at)))
        return Call(body, query, {"Content-Type": "text/xml"})

    def covered(self, call: Call) -> range:
        """ToUserName stands outside of what is sealed, and nobody reads it there."""
        return within(call.body, b"<Encrypt><![CDATA[", b"]]></Encrypt>")

    async def settle(self, channel: Channel[Any]) -> None:
        assert isinstance(channel, CustomerService)
        while tasks := list(channel._desks._tasks.values()):
            await tasks[0]


CASES = (Service(),)

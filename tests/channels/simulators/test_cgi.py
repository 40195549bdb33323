"""The platforms that the tests play against are as strict as the real ones where that matters."""

from typing import Any

import aiohttp
import pytest

from channels.simulators.cgi import Platform
from channels.simulators.pushes import Account, Broken
from channels.simulators.wechat_kf import Service, entry
from channels.simulators.wechat_oa import WeChat
from channels.simulators.wecom import WeCom

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


async def code(platform: Platform, path: str, body: Any, *, token: str | None = None) -> int:
    """The errcode of a call, with the token that is good now."""
    token = platform.tokens.give(fresh=False)["access_token"] if token is None else token
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{platform.url}/cgi-bin/{path}", params={"access_token": token}, json=body) as response,
    ):
        return int((await response.json()).get("errcode", 0))


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"touser": "oA", "msgtype": "text", "text": {"content": words}, **more}


async def test_wechat_holds_to_window_quota_and_length() -> None:
    clock = Clock()
    async with WeChat("wx1", "s", clock=clock) as wechat:
        send = "message/custom/send"
        assert await code(wechat, send, text("你好")) == 45015
        wechat.windows.wrote("oA")
        assert [await code(wechat, send, text("你" * n)) for n in (0, 682, 683)] == [44004, 0, 45002]
        assert [await code(wechat, send, text("好")) for _ in range(5)] == [0, 0, 0, 0, 45047]
        clock.now += 172_801
        assert await code(wechat, send, text("好")) == 45015


async def test_tokens_end_and_a_forced_one_ends_the_others() -> None:
    clock = Clock()
    async with WeChat("wx1", "s", clock=clock) as wechat:
        wechat.windows.wrote("oA")
        old = wechat.tokens.give(fresh=False)["access_token"]
        assert wechat.tokens.give(fresh=False)["access_token"] == old
        wechat.tokens.give(fresh=True)
        tried = [await code(wechat, "message/custom/send", text("x"), token=t) for t in ("", "unknown", old)]
        assert tried == [41001, 40001, 42001]
        assert await code(wechat, "stable_token", {"appid": "wx2", "secret": "s"}) == 40013
        assert await code(wechat, "stable_token", {"appid": "wx1", "secret": "t"}) == 40125


async def test_what_is_not_understood_is_refused() -> None:
    async with WeChat("wx1", "s") as wechat:
        assert await code(wechat, "no/such/path", {}) == 40066
        assert await code(wechat, "message/custom/typing", {"touser": "oA", "command": "Dance"}) == 45072
        assert await code(wechat, "message/custom/typing", {"touser": "oA", "command": "Typing"}) == 45080
        async with aiohttp.ClientSession() as http:
            for raw in (b"{", b"[]"):
                async with http.post(f"{wechat.url}/cgi-bin/message/custom/send", data=raw) as response:
                    assert (await response.json())["errcode"] == 47001


async def test_wecom_holds_to_application_member_and_rate() -> None:
    clock = Clock()
    async with WeCom("ww1", "s", 7, clock=clock) as wecom:
        assert await code(wecom, "message/send", text("好", agentid=8)) == 40056
        assert await code(wecom, "message/send", text("你" * 700, agentid=7)) == 45002
        assert {await code(wecom, "message/send", text("好", agentid=7)) for _ in range(40)} == {0}
        assert len(wecom.sent) == 30
        clock.now += 61
        assert await code(wecom, "message/send", text("好", agentid=7)) == 0
        assert len(wecom.sent) == 31
        wecom.corp_id = "ww2"
        async with aiohttp.ClientSession() as http, http.get(f"{wecom.url}/cgi-bin/gettoken?corpid=ww1") as response:
            assert (await response.json())["errcode"] == 40013


async def test_customer_service_holds_to_cursor_state_and_codes() -> None:
    async with Service("ww1", "s") as service:
        assert await code(service, "kf/sync_msg", {"open_kfid": "wk", "cursor": "x"}) == 95009
        message = text("好", open_kfid="wk") | {"touser": "wm"}
        assert await code(service, "kf/send_msg", message) == 95002
        service.wait("wk", [entry("wk", "wm", "你好")])
        assert [await code(service, "kf/send_msg", message) for _ in range(6)] == [0, 0, 0, 0, 0, 95001]
        move = {"open_kfid": "wk", "external_userid": "wm", "service_state": 3}
        assert [await code(service, "kf/service_state/trans", move) for _ in range(2)] == [0, 95016]
        assert await code(service, "kf/send_msg", message) == 95018
        assert await code(service, "kf/send_msg_on_event", {"code": "x", "text": {"content": "y"}}) == 95016
        (known,) = service.codes
        assert await code(service, "kf/send_msg_on_event", {"code": known, "text": {"content": "长" * 700}}) == 45002
        assert await code(service, "kf/customer/batchget", {"external_userid_list": []}) == 40058


@pytest.mark.parametrize(
    "body",
    [
        b'{"errcode": 0}',
        b"<xml>",
        b"<xml><ToUserName>oB</ToUserName><FromUserName>gh</FromUserName><CreateTime>1</CreateTime></xml>",
        b"<xml><ToUserName>oA</ToUserName><FromUserName>gh</FromUserName><CreateTime>1</CreateTime>"
        b"<MsgType>text</MsgType><Content>" + b"x" * 2049 + b"</Content></xml>",
    ],
)
def test_an_answer_that_wechat_can_not_read_is_broken(body: bytes) -> None:
    with pytest.raises(Broken):
        Account("http://x", "t", weak=True).read(body, "oA")


def test_an_answer_that_is_not_sealed_where_it_must_be_is_broken() -> None:
    with pytest.raises(Broken):
        Account("http://x", "t", KEY, "wx1", weak=True).read(b"<xml><Content>x</Content></xml>", "oA")

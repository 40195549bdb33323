"""The simulated Feishu is held against lark-oapi: its client calls it, its dispatcher opens what it sends."""

import asyncio
import json
import sys

from tests.channels.feishu.conftest import Make
from tests.channels.feishu.messages import ACCOUNT

CLIENT = """
import json, sys
import lark_oapi as lark
from lark_oapi.api.im.v1 import ReplyMessageRequest, ReplyMessageRequestBody
from lark_oapi.core.model import RawRequest

given = json.load(sys.stdin)
account, call = given["account"], given["call"]
heard = []
dispatcher = (
    lark.EventDispatcherHandler.builder(account["encrypt_key"], account["token"])
    .register_p2_im_message_receive_v1(lambda event: heard.append(event.event.message))
    .build()
)
request = RawRequest()
request.uri, request.body, request.headers = "/", call["body"].encode(), call["headers"]
answered = dispatcher.do(request).status_code

client = lark.Client.builder().app_id(account["app_id"]).app_secret(account["app_secret"]).domain(given["base"]).build()
body = ReplyMessageRequestBody.builder().msg_type("text").content(json.dumps({"text": "在的"})).uuid("u1").build()
request = ReplyMessageRequest.builder().message_id(heard[0].message_id).request_body(body).build()
done = [client.im.v1.message.reply(request) for _ in range(2)]
json.dump([answered, heard[0].content, [d.code for d in done], [d.data.message_id for d in done]], sys.stdout)
"""


async def test_lark_oapi_opens_a_callback_and_answers_it(world: Make) -> None:
    w = await world()
    event = ACCOUNT.message("在吗")
    w.platform.learn(event)
    body, headers = ACCOUNT.sealed(event)
    account = {name: getattr(ACCOUNT, name) for name in ("app_id", "app_secret", "token", "encrypt_key")}
    given = {
        "base": w.channel.settings.api_base,
        "account": account,
        "call": {"body": body.decode(), "headers": headers},
    }
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CLIENT),
        env={"NO_PROXY": "127.0.0.1", "PYTHONIOENCODING": "utf-8"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(100):
            out, _ = await client.communicate(json.dumps(given).encode())
    finally:
        if client.returncode is None:
            client.kill()
            await client.wait()
    answered, content, codes, ids = json.loads(out.splitlines()[-1])
    (shown,) = w.shown

    assert (answered, json.loads(content)) == (200, {"text": "在吗"})
    assert (codes, ids) == ([0, 0], [shown.id] * 2)
    assert (shown.text, shown.chat) == ("在的", "oc_ming")
    assert not w.platform.broken

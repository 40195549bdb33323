"""The simulated gateway is held against DingTalk's own SDK: what its client can't use is no simulation."""

import asyncio
import sys

from tests.channels.dingtalk.conftest import Make
from tests.channels.dingtalk.messages import ROBOT, SECRET

CLIENT = """
import os, sys
import dingtalk_stream as sdk

class Robot(sdk.ChatbotHandler):
    async def process(self, callback):
        message = sdk.ChatbotMessage.from_dict(callback.data)
        self.dingtalk_client.finished = f"{message.sender_staff_id}: {message.text.content}"
        return sdk.AckMessage.STATUS_OK, "OK"

class Client(sdk.DingTalkStreamClient):
    finished = ""

    async def background_task(self, frame):
        await super().background_task(frame)
        if self.finished:
            await self.websocket.close()
            sys.stdout.write(self.finished)
            sys.stdout.flush()
            os._exit(0)  # its loop can't be ended in another way

    def get_host_ip(self):
        return "127.0.0.1"

client = Client(sdk.Credential(sys.argv[1], sys.argv[2]))
client.register_callback_handler(sdk.ChatbotMessage.TOPIC, Robot())
client.start_forever()
"""


async def test_the_sdk_connects_and_takes_a_message(world: Make) -> None:
    w = await world()
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CLIENT, ROBOT, SECRET),
        env={"DINGTALK_OPENAPI_ENDPOINT": w.platform.base, "NO_PROXY": "127.0.0.1", "PYTHONIOENCODING": "utf-8"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        ack = await w.platform.gateway.push(w.platform.message("怎么出差？"), within=20)
        async with asyncio.timeout(10):
            out, _ = await client.communicate()
    finally:
        if client.returncode is None:
            client.kill()
            await client.wait()

    assert ack is not None
    assert ack["code"] == 200
    assert out.decode() == "staff-ming: 怎么出差？"
    assert w.platform.broken == []

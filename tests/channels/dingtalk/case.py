"""What the facts of all channels need to know of a DingTalk robot with a callback."""

import json

from channels.dingtalk.settings import Settings
from channels.dingtalk.signature import sign
from channels.simulators.dingtalk import Platform
from config import Secret
from tests.channels.conformance.case import Call, Case, now
from tests.channels.conformance.world import Api

ROBOT, SECRET = "dingrobot", "secret-of-the-robot"


class Robot(Case):
    """Answers go out by the session webhook of the message."""

    kind, mode = "dingtalk", "webhook"
    secrets = (SECRET,)
    proofs = ("timestamp", "sign")
    no_signed_body = "DingTalk signs the time and nothing of the body"

    def settings(self, api: str) -> Settings:
        return Settings(
            kind="dingtalk", transport="webhook", client_id=ROBOT, client_secret=Secret(SECRET), api_base=api
        )

    def message(self, words: str, key: str, api: Api) -> bytes:
        platform = Platform(ROBOT, SECRET)
        platform.base = api.url
        return json.dumps(platform.message(words, msgId=f"msg{key}=="), ensure_ascii=False).encode()

    def sign(self, inside: bytes, *, at: float | None = None) -> Call:
        moment = str(int(now(at) * 1000))
        proof = {"timestamp": moment, "sign": sign(moment, SECRET)}
        return Call(inside, headers={"Content-Type": "application/json", **proof})


CASES = (Robot(),)

"""What the facts of all channels need to know of an AI bot with a callback."""

import json

from channels.simulators.wecom_bot import Caller, text
from channels.wecom_bot.settings import Settings
from config import Secret
from tests.channels.conformance.case import Call, Case, now, within
from tests.channels.conformance.world import Api

TOKEN, KEY = "token-of-the-bot", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


class Bot(Case):
    """Messages carry a response_url, by which the answer goes out once nobody asks for its stream."""

    kind, mode = "wecom_bot", "webhook"
    secrets = (TOKEN, KEY, "response-code")
    proofs = ("msg_signature", "timestamp", "nonce")

    def settings(self, api: str) -> Settings:
        keys = {"token": Secret(TOKEN), "encoding_aes_key": Secret(KEY)}
        return Settings.model_validate({"kind": "wecom_bot", **keys, "api_base": api, "poll_patience": 0.05})

    def message(self, words: str, key: str, api: Api) -> bytes:
        url = f"{api.url}/cgi-bin/aibot/response?response_code=response-code"
        return json.dumps(text(words, msgid=key, response_url=url), ensure_ascii=False).encode()

    def sign(self, inside: bytes, *, at: float | None = None) -> Call:
        moment = now(at)
        query, body = Caller("", TOKEN, KEY, clock=lambda: moment).sealed(inside)
        return Call(body, query, {"Content-Type": "application/json"})

    def covered(self, call: Call) -> range:
        return within(call.body, b'{"encrypt": "', b'"}')


CASES = (Bot(),)

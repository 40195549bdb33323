"""What the facts of all channels need to know of a Feishu app with a callback: with an Encrypt Key and without."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from channels.feishu.settings import Settings
from channels.simulators.feishu import Account
from channels.simulators.feishu.events import encrypt, sign
from config import Secret
from tests.channels.conformance.case import Call, Case, now, other
from tests.channels.conformance.world import Api

SECRET, TOKEN, KEY = "secret-of-the-app", "verification-token-of-the-app", "encrypt-key-of-the-app"
JSON = {"Content-Type": "application/json; charset=utf-8"}


class Sealed(Case):
    """With an Encrypt Key."""

    kind, mode = "feishu", "sealed"
    key: ClassVar[str] = KEY
    secrets = (SECRET, TOKEN, KEY)
    proofs: ClassVar[tuple[str, ...]] = ("X-Lark-Signature", "X-Lark-Request-Timestamp", "X-Lark-Request-Nonce")

    def settings(self, api: str) -> Settings:
        return Settings(
            kind="feishu",
            app_id="cli_app",
            app_secret=Secret(SECRET),
            verification_token=Secret(TOKEN),
            encrypt_key=Secret(self.key) if self.key else None,
            api_base=api,
        )

    def message(self, words: str, key: str, api: Api) -> bytes:
        event = Account("cli_app", SECRET, TOKEN).message(words, message_id=f"om_{key}")
        return json.dumps(event, ensure_ascii=False).encode()

    def sign(self, inside: bytes, *, at: float | None = None) -> Call:
        body = json.dumps({"encrypt": encrypt(inside, KEY)}).encode()
        moment, nonce = str(int(now(at))), f"{time.monotonic_ns()}"
        proof = (sign(moment, nonce, KEY, body), moment, nonce)
        return Call(body, headers={**JSON, **dict(zip(self.proofs, proof, strict=True))})


class Plain(Sealed):
    """Without one: the token inside the body is all that proves it."""

    mode, key, proofs = "plain", "", ()
    no_age = "without an Encrypt Key Feishu sends no time that is signed"
    no_signed_body = "without an Encrypt Key nothing is signed; the verification token is all there is"

    def sign(self, inside: bytes, *, at: float | None = None) -> Call:
        return Call(inside, headers=JSON)

    def forged(self, call: Call) -> Iterator[Call]:
        for at in range(len(TOKEN)):
            wrong = TOKEN[:at] + other(TOKEN[at]) + TOKEN[at + 1 :]
            yield replace(call, body=call.body.replace(TOKEN.encode(), wrong.encode()))


CASES = (Sealed(), Plain())

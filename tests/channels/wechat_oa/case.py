"""What the facts of all channels need to know of an Official Account: both modes."""

from typing import ClassVar

from channels.simulators.pushes import Account
from channels.simulators.wechat_oa import message
from channels.wechat_oa.settings import Settings
from config import Secret
from tests.channels.conformance.case import Call, Case, now, within
from tests.channels.conformance.world import Api

APP_ID, SECRET, TOKEN = "wx1234567890abcdef", "secret-of-the-account", "token-of-the-callback"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


class Plain(Case):
    """Without a key."""

    kind, mode = "wechat_oa", "plain"
    key: ClassVar[str] = ""
    secrets = (SECRET, TOKEN, KEY)
    proofs: ClassVar[tuple[str, ...]] = ("signature", "timestamp", "nonce")
    no_signed_body: ClassVar[str] = "in plain mode WeChat signs the time and a nonce, nothing of the body"

    def settings(self, api: str) -> Settings:
        return Settings(
            app_id=APP_ID,
            app_secret=Secret(SECRET),
            token=Secret(TOKEN),
            encoding_aes_key=Secret(self.key) if self.key else None,
            push=True,
            api_base=api,
            answer_within=0.01,
            typing_after=0,
        )

    def message(self, words: str, key: str, api: Api) -> bytes:
        return message("oABCDEFG", MsgId=key, Content=words)

    def sign(self, inside: bytes, *, at: float | None = None) -> Call:
        query, body = Account("", TOKEN, self.key, APP_ID, weak=True).signed(inside, at=int(now(at)))
        return Call(body, query, {"Content-Type": "text/xml"})


class Safe(Plain):
    """With a key."""

    mode, key = "safe", KEY
    proofs = ("msg_signature", "timestamp", "nonce")
    no_signed_body = ""

    def covered(self, call: Call) -> range:
        """ToUserName stands outside of what is sealed, and nobody reads it there."""
        return within(call.body, b"<Encrypt><![CDATA[", b"]]></Encrypt>")


CASES = (Plain(), Safe())

"""What the facts of all channels need to know of a WeCom application."""

from channels.simulators.pushes import Account
from channels.simulators.wecom import message
from channels.wecom.settings import Settings
from config import Secret
from tests.channels.conformance.case import Call, Case, now, within
from tests.channels.conformance.world import Api

CORP, SECRET, TOKEN = "ww1234567890abcdef", "secret-of-the-application", "token-of-the-callback"
KEY = "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlk0"


class Application(Case):
    """One application."""

    kind = "wecom"
    secrets = (SECRET, TOKEN, KEY)
    proofs = ("msg_signature", "timestamp", "nonce")

    def settings(self, api: str) -> Settings:
        return Settings(
            kind="wecom",
            corp_id=CORP,
            agent_id=1000002,
            secret=Secret(SECRET),
            token=Secret(TOKEN),
            encoding_aes_key=Secret(KEY),
            api_base=api,
        )

    def message(self, words: str, key: str, api: Api) -> bytes:
        return message(CORP, "ZhangSan", MsgId=key, Content=words, AgentID="1000002")

    def sign(self, inside: bytes, *, at: float | None = None) -> Call:
        query, body = Account("", TOKEN, KEY, CORP).signed(inside, at=int(now(at)))
        return Call(body, query, {"Content-Type": "text/xml"})

    def covered(self, call: Call) -> range:
        """ToUserName stands outside of what is sealed, and nobody reads it there."""
        return within(call.body, b"<Encrypt><![CDATA[", b"]]></Encrypt>")


CASES = (Application(),)

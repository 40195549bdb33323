"""Settings and messages as Feishu would have them, for the tests of this folder."""

from typing import Any

from channels.feishu.settings import Settings
from channels.simulators.feishu import Account
from config import Secret
from hub.message import Conversation, OutboundMessage
from hub.person import Identity

ACCOUNT = Account("cli_app", "app-secret", token="verification-token", encrypt_key="encrypt-key")
PLAIN = Account("cli_app", "app-secret", token="verification-token")


def settings(account: Account = ACCOUNT, **changed: Any) -> Settings:
    """The settings of the app."""
    given = {
        "kind": "feishu",
        "app_id": account.app_id,
        "app_secret": Secret(account.app_secret),
        "verification_token": Secret(account.token),
        "encrypt_key": Secret(account.encrypt_key) if account.encrypt_key else None,
        **changed,
    }
    return Settings.model_validate({name: value for name, value in given.items() if value is not None})


def reply(
    text: str = "答案", *, chat: str = "oc_ming", user: str = "ou_ming", group: bool = False, **fields: Any
) -> OutboundMessage:
    """A reply to somebody in a chat."""
    place = Conversation("fs", ACCOUNT.app_id, chat, "group" if group else "private")
    return OutboundMessage(
        **{"id": 7, "turn": "t1", "event": 2, **fields},
        conversation=place,
        recipient=Identity("fs", ACCOUNT.app_id, user),
        text=text,
    )

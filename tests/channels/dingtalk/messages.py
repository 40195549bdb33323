"""Settings and messages as DingTalk would have them, for the tests of this folder."""

from typing import Any

from channels.dingtalk.settings import Settings
from config import Secret
from hub.message import Conversation, OutboundMessage
from hub.person import Identity

ROBOT, SECRET = "dingrobot", "app-secret"


def settings(**changed: Any) -> Settings:
    """The settings of the robot."""
    return Settings.model_validate(
        {"kind": "dingtalk", "client_id": ROBOT, "client_secret": Secret(SECRET), **changed}, strict=False
    )


def robot_message(msgtype: str = "text", *, group: bool = False, **fields: Any) -> dict[str, Any]:
    """A message as it is pushed; None takes a field out."""
    body: dict[str, Any] = {
        "conversationId": "cidABC/x==",
        "conversationType": "2" if group else "1",
        "msgId": "msg1==",
        "senderId": "$:LWCP_v1:$abc",
        "senderStaffId": "staff1",
        "senderCorpId": "dingcorp",
        "robotCode": ROBOT,
        "createAt": 1_700_000_000_000,
        "msgtype": msgtype,
    }
    if msgtype == "text":
        body["text"] = {"content": " 你好 "}
    return {name: value for name, value in {**body, **fields}.items() if value is not None}


def reply(text: str = "答案", *, group: bool = False, user: str = "staff1", **fields: Any) -> OutboundMessage:
    """A reply to robot_message."""
    place = Conversation("dd", ROBOT, "cidABC/x==" if group else user, "group" if group else "private")
    return OutboundMessage(7, "t1", place, Identity("dd", ROBOT, user), text, 2, **fields)

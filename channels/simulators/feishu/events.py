"""What people do in the simulated Feishu, as events, and how a callback is sealed; by the documentation alone.

https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/encrypt-key-encryption-configuration-case
"""

import base64
import hashlib
import json
import os
import time
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TENANT = "tenant1"


@dataclass
class Account:
    """The app, as its console shows it. Without an encrypt_key bodies are plain and unsigned."""

    app_id: str
    app_secret: str
    token: str = ""
    encrypt_key: str = ""
    bot: str = "ou_bot"

    def event(self, kind: str, event: object, **header: Any) -> dict[str, Any]:
        """An event of schema 2.0."""
        about = {
            "event_id": uuid.uuid4().hex,
            "token": self.token,
            "create_time": str(int(time.time() * 1000)),
            "event_type": kind,
            "tenant_key": TENANT,
            "app_id": self.app_id,
        }
        return {"schema": "2.0", "header": {**about, **header}, "event": event}

    def message(
        self, text: str = "", *, user: str = "ming", chat: str = "", group: bool = False, **fields: Any
    ) -> dict[str, Any]:
        """im.message.receive_v1; `kind`, `content`, `sender_type` and fields of the message may be given."""
        content = fields.pop("content", {"text": text})
        sender = {"sender_id": people(user), "sender_type": fields.pop("sender_type", "user"), "tenant_key": TENANT}
        message = {
            "message_id": f"om_{uuid.uuid4().hex}",
            "create_time": str(int(time.time() * 1000)),
            "chat_id": chat or f"oc_{user}",
            "chat_type": "group" if group else "p2p",
            "message_type": fields.pop("kind", "text"),
            "content": content if isinstance(content, str) else json.dumps(content, ensure_ascii=False),
        }
        return self.event("im.message.receive_v1", {"sender": sender, "message": {**message, **fields}})

    def click(self, value: object, *, message: str, chat: str, user: str = "ming") -> dict[str, Any]:
        """card.action.trigger."""
        event = {
            "operator": {**people(user), "tenant_key": TENANT},
            "token": f"c-{uuid.uuid4().hex}",
            "action": {"value": value, "tag": "button"},
            "host": "im_message",
            "context": {"open_message_id": message, "open_chat_id": chat},
        }
        return self.event("card.action.trigger", event, create_time=str(time.time_ns() // 1000))

    def recall(self, message: str, chat: str) -> dict[str, Any]:
        """im.message.recalled_v1."""
        return self.event("im.message.recalled_v1", {"message_id": message, "chat_id": chat})

    def challenge(self, word: str) -> dict[str, Any]:
        """The check of the address."""
        return {"challenge": word, "token": self.token, "type": "url_verification"}

    def sealed(self, event: object, *, age: float = 0.0) -> tuple[bytes, dict[str, str]]:
        """The body and the headers that carry this, sent so many seconds ago."""
        plain = json.dumps(event, ensure_ascii=False)
        if not self.encrypt_key:
            return plain.encode(), {"Content-Type": "application/json; charset=utf-8"}
        body = json.dumps({"encrypt": encrypt(plain.encode(), self.encrypt_key)}).encode()
        at, nonce = str(int(time.time() - age)), uuid.uuid4().hex[:10]
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Lark-Request-Timestamp": at,
            "X-Lark-Request-Nonce": nonce,
            "X-Lark-Signature": sign(at, nonce, self.encrypt_key, body),
        }
        return body, headers


def people(user: str) -> dict[str, str]:
    """The ids of somebody."""
    return {"open_id": f"ou_{user}", "union_id": f"on_{user}", "user_id": user}


def mention(number: int, open_id: str, name: str) -> dict[str, Any]:
    """An entry of `mentions`."""
    return {"key": f"@_user_{number}", "id": {"open_id": open_id}, "name": name, "tenant_key": TENANT}


def encrypt(plain: bytes, key: str) -> str:
    """AES-256-CBC with the SHA-256 of the key, behind a random first block, PKCS7, base64."""
    pad, first = padding.PKCS7(128).padder(), os.urandom(16)
    cipher = Cipher(algorithms.AES(hashlib.sha256(key.encode()).digest()), modes.CBC(first)).encryptor()
    return base64.b64encode(first + cipher.update(pad.update(plain) + pad.finalize()) + cipher.finalize()).decode()


def sign(timestamp: str, nonce: str, key: str, body: bytes) -> str:
    """X-Lark-Signature."""
    return hashlib.sha256(f"{timestamp}{nonce}{key}".encode() + body).hexdigest()

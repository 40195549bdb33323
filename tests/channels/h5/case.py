"""What the facts of all channels need to know of a web page: a visitor who has been greeted, without WebSocket."""

import json

from channels.h5.settings import Settings
from config import Secret
from tests.channels.conformance.case import Call, Case, Door
from tests.channels.conformance.world import Api

SECRET = "a-secret-of-more-than-thirty-two-bytes"


class Visitor(Case):
    """The token of the welcome proves every later message."""

    kind, path = "h5", "/messages"
    secrets = (SECRET,)
    proofs = ("Authorization",)
    no_age = "a message of a visitor carries no time; a token that an identity stands behind ends with that identity"
    no_signed_body = "the token proves who speaks, over a connection of the visitor's own"
    no_api = "people fetch their replies from the journal"

    def __init__(self) -> None:
        self._token = ""

    def settings(self, api: str) -> Settings:
        return Settings(identity_secret=Secret(SECRET), rate=0)

    async def begin(self, world: Door) -> None:
        _, raw = await world.post(Call(b'{"type":"hello"}'))
        self._token = json.loads(raw)["visitor"]

    def message(self, words: str, key: str, api: Api) -> bytes:
        return json.dumps({"type": "message", "id": key, "text": words}, ensure_ascii=False).encode()

    def sign(self, inside: bytes, *, at: float | None = None) -> Call:
        return Call(inside, headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"})


CASES = (Visitor(),)

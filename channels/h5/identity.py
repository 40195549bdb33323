"""Who is there: anonymous visitors by a token of ours, people whom the web page knows by its JWT.

A visitor token is made up by the hub and signed by it, with a key that is made once and kept in the channel's notes.
So a token that the hub never gave out is refused without asking the database, and there is no second spelling of
one: the signature is compared as text. The journal holds names that are derived from the token by a hash; who reads
a conversation's name, or the whole journal, can't speak for its visitor.

A JWT (HS256, the only algorithm that is taken; `sub` and `exp` required) makes the visitor that person, in whatever
browser. The token that such a visitor gets in return names the person and ends when the JWT ends, so that a borrowed
computer is not signed in for ever; and its signature depends on `identity_secret`, so that changing a secret that
leaked ends every token at once. It is checked at every message and a connection ends with it.

An anonymous conversation stays with its browser. It is never joined to the person who signs in later: that would let
somebody who used the same browser before put words into their mouth. People may join the two themselves (/link).
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from math import inf

import jwt

from hub.message import Conversation
from hub.person import Evidence, Identity

MOST_SUB = 200
"""Characters of `sub`; enough for any URL or UUID that names an account."""
WRONG_JWT = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What PyJWT raises for what is no JWT: its own errors, and Python's where a claim is odd (`"exp": 1e999`)."""


class IdentityRefused(Exception):
    """The JWT does not hold; the text says why, for the operator."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who may read and write one conversation until `expires` (seconds since 1970)."""

    token: str
    user: str
    expires: float = inf
    evidence: tuple[Evidence, ...] = ()

    def conversation(self, channel: str) -> Conversation:
        """Theirs. Its name is a hash, so that it may be shown, and has no sign that a client's id could imitate."""
        return Conversation(channel, "", _digest(f"conversation:{self.user}"))

    def identity(self, channel: str) -> Identity:
        """As the hub knows them."""
        return Identity(channel, "", self.user)


class Identities:
    """Gives out tokens and takes them back. `key` is the channel's own, `secret` the web page's.

    A JWT that would hold for more than `longest` seconds is none: an `exp` in milliseconds, or one that was made to
    outlive everything, would sign a borrowed computer in for ever.
    """

    def __init__(self, key: bytes, secret: str = "", *, leeway: int = 30, longest: int = 30 * 86400) -> None:
        self._keys = {"v": _seal(key, b"visitor"), "s": _seal(key, b"sub\0" + secret.encode())}
        self._secret = secret
        self._leeway = leeway
        self._longest = longest
        self._realm = _digest(f"realm:{secret}")

    def anonymous(self) -> Visitor:
        """Somebody new."""
        return self._anonymous(secrets.token_urlsafe(24))

    def _anonymous(self, chance: str) -> Visitor:
        return Visitor(self._signed(f"v.{chance}"), f"visitor:{_digest(chance)}")

    def known(self, token: str) -> Visitor | None:
        """Whom a token names, expired or not; None for a token that is not ours."""
        said, _, _ = token.rpartition(".")
        if not token.isascii() or said[:2] not in ("v.", "s.") or not hmac.compare_digest(self._signed(said), token):
            return None
        if said.startswith("v."):
            return self._anonymous(said[2:])
        expires, sub = json.loads(_unpacked(said[2:]))
        return self._person(sub, expires)

    def named(self, token: str, now: datetime) -> Visitor:
        """Whom a JWT names. Raises IdentityRefused."""
        if not self._secret:
            raise IdentityRefused("the channel has no identity_secret")
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                options={"require": ["exp", "sub"], "verify_exp": False},
                leeway=self._leeway,
            )
            expires, sub = int(claims["exp"]) + self._leeway, str(claims["sub"])
        except WRONG_JWT as error:
            raise IdentityRefused(type(error).__name__) from None
        if now.timestamp() > expires:
            raise IdentityRefused("expired")
        if expires - now.timestamp() > self._longest + 2 * self._leeway:
            raise IdentityRefused("exp is more than identity_days ahead, or no number of seconds")
        if not (0 < len(sub) <= MOST_SUB and sub.isprintable()):
            raise IdentityRefused("sub is empty, too long or not printable")
        return self._person(sub, expires)

    def _person(self, sub: str, expires: int) -> Visitor:
        """`sub` is unique among those who share the secret, so the evidence names them too."""
        packed = _packed(json.dumps([expires, sub]).encode())
        evidence = (Evidence("jwt_sub", f"{self._realm}:{sub}"),)
        return Visitor(self._signed(f"s.{packed}"), f"sub:{sub}", expires, evidence)

    def _signed(self, said: str) -> str:
        return f"{said}.{_packed(_seal(self._keys[said[0]], said.encode()))}"


def _seal(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

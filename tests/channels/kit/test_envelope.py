"""The envelope: what it proves, what it refuses, and that wechatpy on the other side understands it."""

import base64
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.utils import WeChatSigner

from channels.kit.envelope import AesKey, Envelope, fresh, prove, sign
from config import Secret
from hub.errors import NotProven, Refusal, Unreadable

TOKEN, KEY, APP = "a-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wx1234567890abcdef"
AT = "1700000000"


def envelope(receive_id: str = APP) -> Envelope:
    return Envelope(TOKEN, KEY, receive_id)


def raw(padded: bytes) -> str:
    """A ciphertext of exactly these bytes, without padding."""
    return base64.b64encode(PrpCrypto(base64.b64decode(KEY + "=")).cipher.encrypt(padded)).decode()


def padded(body: bytes, block: int = 32) -> bytes:
    count = block - len(body) % block
    return body + bytes([count]) * count


@given(st.binary(max_size=3000), st.sampled_from(["", APP, "ww1", "钉钉"]))
def test_what_was_sealed_is_opened(message: bytes, receive_id: str) -> None:
    box = envelope(receive_id)
    sealed = box.seal(message, timestamp=AT, nonce="n")

    opened = box.open(sealed.encrypted, signature=sealed.signature, timestamp=AT, nonce="n")
    assert opened == message


def test_wechatpy_opens_what_was_sealed() -> None:
    sealed = envelope().seal("<xml>你好</xml>".encode(), timestamp=AT, nonce="n")

    opened = WeChatCrypto(TOKEN, KEY, APP).decrypt_message({"Encrypt": sealed.encrypted}, sealed.signature, AT, "n")
    assert opened == "<xml>你好</xml>"


def test_a_message_without_a_receiver_is_sealed_by_wechatpy_as_well() -> None:
    encrypted = PrpCrypto(base64.b64decode(KEY + "=")).encrypt("words", "").decode()

    assert envelope("").decrypt(encrypted) == b"words"


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_signatures_are_those_of_wechatpy(values: list[str]) -> None:
    signer = WeChatSigner()
    signer.add_data(*values)

    assert sign(*values) == signer.signature


@given(st.data())
def test_one_flipped_bit_anywhere_is_refused(data: st.DataObject) -> None:
    sealed = envelope().seal(b"a message", timestamp=AT, nonce="n")
    values = [sealed.encrypted, sealed.signature, AT, "n"]
    which = data.draw(st.integers(0, 3))
    at, bit = data.draw(st.integers(0, len(values[which]) - 1)), data.draw(st.integers(0, 6))
    changed = values[which]
    values[which] = changed[:at] + chr(ord(changed[at]) ^ 1 << bit) + changed[at + 1 :]

    with pytest.raises(NotProven):
        envelope().open(values[0], signature=values[1], timestamp=values[2], nonce=values[3])


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_a_signed_ciphertext_of_anything_is_refused_and_never_breaks(garbage: bytes) -> None:
    """wechatpy raises IndexError, struct.error, ValueError or UnicodeDecodeError here."""
    whole = garbage[: len(garbage) // 16 * 16]
    for encrypted in (garbage.decode("utf-8", "surrogateescape"), base64.b64encode(garbage).decode(), raw(whole)):
        with pytest.raises(Refusal):
            envelope().decrypt(encrypted)


@pytest.mark.parametrize(
    "inside",
    [
        padded(b"r" * 16 + struct.pack(">I", 9) + b"short" + APP.encode()),
        padded(b"r" * 16 + struct.pack(">I", 0xFFFFFFFF) + b"message" + APP.encode()),
        padded(b"r" * 16 + b"\0\0"),
        b"r" * 16 + struct.pack(">I", 2) + b"ok" + APP.encode() + b"\0" * 8,
        b"r" * 31 + b"\x21",
        b"r" * 30 + b"\x01\x02",
    ],
    ids=[
        "length one too long",
        "length of four gigabytes",
        "no room for a length",
        "no padding",
        "33",
        "uneven padding",
    ],
)
def test_a_ciphertext_of_the_wrong_form_is_refused(inside: bytes) -> None:
    with pytest.raises(Refusal):
        envelope().decrypt(raw(inside))


def test_a_message_for_another_receiver_is_not_proven() -> None:
    for other in ("", "wx1234567890abcdeF", APP + "x", APP[:-1]):
        with pytest.raises(NotProven):
            envelope().decrypt(envelope(other).encrypt(b"message"))


@pytest.mark.parametrize("encrypted", ["", "!!!!", "MTIzNDU=", "A" * 24, "AAAA" * 16, "你好", "\ud800"])
def test_known_garbage_is_refused(encrypted: str) -> None:
    with pytest.raises(Refusal):
        envelope().decrypt(encrypted)


def test_signatures_with_foreign_characters_are_refused() -> None:
    for signature in ("", "é" * 40, "\ud800", sign("a", "b").upper()):
        with pytest.raises(NotProven):
            prove(signature, "a", "b")


def test_an_envelope_without_token_or_key_is_not_made() -> None:
    for token, key in (("", KEY), (TOKEN, ""), (TOKEN, KEY[:-1])):
        with pytest.raises(ValueError, match="token and a key"):
            Envelope(token, key, APP)


def test_freshness_holds_both_ways_and_zero_takes_any_age() -> None:
    now = datetime.fromtimestamp(1_700_000_000, UTC)
    fresh("1699999400", now=now, max_age=600)
    fresh("1700000600", now=now, max_age=600)
    fresh("1", now=now, max_age=0)

    for timestamp in ("1699999399", "1700000601", "", "-1", "1e9", "١٧٠٠٠٠٠٠٠٠", "9" * 400):
        with pytest.raises(NotProven):
            fresh(timestamp, now=now, max_age=600)


def test_a_key_that_was_cut_when_copied_is_named() -> None:
    class Keys(BaseModel):
        key: AesKey

    assert Keys(key=Secret(KEY)).key.value == KEY
    with pytest.raises(ValidationError, match="has 42 characters"):
        Keys(key=Secret(KEY[:-1]))


def test_unreadable_and_not_proven_are_different_statuses() -> None:
    assert (Unreadable.status, NotProven.status) == (400, 403)

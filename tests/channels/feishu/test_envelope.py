"""What proves that a callback comes from Feishu, and what does not."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.feishu.envelope import decrypt, open_body, sign
from channels.simulators.feishu import events
from hub.errors import NotProven, Refusal, Unreadable
from tests.channels.feishu.messages import ACCOUNT, PLAIN, settings

SETTINGS = settings()
EVENT = ACCOUNT.message("你好")


def opened(body: bytes, headers: dict[str, str], account: events.Account = ACCOUNT) -> object:
    return open_body(body, headers, settings(account), now=datetime.now(UTC))


def test_the_documented_example_is_decrypted() -> None:
    # from "Decrypt events" of the platform's own guide
    sealed = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="

    assert decrypt(sealed, "test key") == b"hello world"


@given(st.binary(max_size=2000), st.text(min_size=1, max_size=40).filter(lambda key: key.isprintable()))
def test_what_feishu_encrypts_is_decrypted(plain: bytes, key: str) -> None:
    assert decrypt(events.encrypt(plain, key), key) == plain


@given(st.text(max_size=400))
def test_a_ciphertext_that_is_none_is_unreadable(rubbish: str) -> None:
    with pytest.raises(Unreadable):
        decrypt(rubbish, "another key" + rubbish)


def test_a_signed_event_is_opened() -> None:
    assert opened(*ACCOUNT.sealed(EVENT)) == EVENT


def test_the_signature_is_over_the_body_as_it_travels() -> None:
    body, headers = ACCOUNT.sealed(EVENT)
    same = json.dumps(json.loads(body), separators=(",", ":")).encode()

    with pytest.raises(NotProven):
        opened(same, headers)


@pytest.mark.parametrize("age", [86_500.0, -86_500.0])
def test_an_old_or_future_signature_is_refused(age: float) -> None:
    with pytest.raises(NotProven, match="too long ago"):
        opened(*ACCOUNT.sealed(EVENT, age=age))


@pytest.mark.parametrize("name", ["X-Lark-Signature", "X-Lark-Request-Timestamp", "X-Lark-Request-Nonce"])
def test_without_one_of_its_headers_nothing_is_proven(name: str) -> None:
    body, headers = ACCOUNT.sealed(EVENT)
    del headers[name]

    with pytest.raises(NotProven):
        opened(body, headers)


def test_a_signature_with_another_key_is_refused() -> None:
    body, headers = ACCOUNT.sealed(EVENT)
    headers["X-Lark-Signature"] = sign(
        headers["X-Lark-Request-Timestamp"], headers["X-Lark-Request-Nonce"], "guess", body
    )

    with pytest.raises(NotProven, match="signature"):
        opened(body, headers)


def test_a_plain_body_is_no_way_around_the_encryption() -> None:
    body, headers = PLAIN.sealed(EVENT)

    with pytest.raises(NotProven):
        opened(body, headers)


def test_a_plain_body_with_a_made_up_signature_is_refused() -> None:
    body, _ = PLAIN.sealed(EVENT)
    now = str(int(datetime.now(UTC).timestamp()))
    headers = {
        "X-Lark-Signature": sign(now, "n", "guess", body),
        "X-Lark-Request-Timestamp": now,
        "X-Lark-Request-Nonce": "n",
    }

    with pytest.raises(NotProven):
        opened(body, headers)


def test_an_encrypted_event_without_signature_is_refused() -> None:
    body, _ = ACCOUNT.sealed(EVENT)

    with pytest.raises(NotProven, match="missing"):
        opened(body, {})


def test_an_unsigned_check_of_the_address_is_taken_when_it_is_encrypted_with_our_key() -> None:
    check = ACCOUNT.challenge("word")
    body, _ = ACCOUNT.sealed(check)

    assert opened(body, {}) == check


def test_a_check_encrypted_with_another_key_is_refused() -> None:
    body, _ = events.Account("cli_app", "s", token=ACCOUNT.token, encrypt_key="other").sealed(ACCOUNT.challenge("word"))

    with pytest.raises(NotProven):
        opened(body, {})


def test_a_wrong_verification_token_inside_is_refused() -> None:
    forged = events.Account("cli_app", "s", token="wrong", encrypt_key=ACCOUNT.encrypt_key)

    with pytest.raises(NotProven, match="token"):
        opened(*ACCOUNT.sealed(forged.message("你好")))


def test_signed_rubbish_is_unreadable() -> None:
    body, now = b'{"encrypt": "AAAA"}', str(int(datetime.now(UTC).timestamp()))
    headers = {
        "X-Lark-Signature": sign(now, "n", ACCOUNT.encrypt_key, body),
        "X-Lark-Request-Timestamp": now,
        "X-Lark-Request-Nonce": "n",
    }

    with pytest.raises(Unreadable):
        opened(body, headers)


def test_without_an_encrypt_key_the_verification_token_proves() -> None:
    assert opened(*PLAIN.sealed(EVENT), PLAIN) == EVENT


@pytest.mark.parametrize("token", ["wrong", "", None, 7])
def test_without_an_encrypt_key_a_wrong_verification_token_is_refused(token: object) -> None:
    event = {**EVENT, "header": {**EVENT["header"], "token": token}}

    with pytest.raises(NotProven):
        opened(json.dumps(event).encode(), {}, PLAIN)


@given(st.binary(max_size=300), st.booleans())
def test_any_body_of_a_stranger_is_refused_and_breaks_nothing(body: bytes, plain: bool) -> None:
    with pytest.raises(Refusal):
        opened(body, {"X-Lark-Signature": "x"} if plain else {}, PLAIN if plain else ACCOUNT)

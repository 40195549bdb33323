"""Who may call back."""

from datetime import UTC, datetime

import pytest

from channels.dingtalk.signature import sign, verify
from hub.errors import NotProven
from tests.channels.dingtalk.messages import SECRET

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def headers(*, age: float = 0, secret: str = SECRET) -> dict[str, str]:
    at = str(int((NOW.timestamp() - age) * 1000))
    return {"timestamp": at, "sign": sign(at, secret)}


def check(given: dict[str, str], *, max_age: int = 3600) -> None:
    verify(given, SECRET, now=NOW, max_age=max_age)


def test_the_signature_is_that_which_openssl_makes() -> None:
    assert sign("1577262236757", "this is a secret") == "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="


@pytest.mark.parametrize("age", [0, 3599, -3599])
def test_a_fresh_signature_is_taken(age: float) -> None:
    check(headers(age=age))


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"timestamp": "1"},
        {"sign": "x"},
        headers(secret="other"),
        headers(age=3601),
        headers(age=-3601),
        {**headers(), "timestamp": "5"},
        {**headers(), "sign": "签名\udcff"},
        {"timestamp": "soon", "sign": sign("soon", SECRET)},
        {"timestamp": "", "sign": sign("", SECRET)},
        {"timestamp": "-5", "sign": sign("-5", SECRET)},
    ],
)
def test_anything_else_is_refused(odd: dict[str, str]) -> None:
    with pytest.raises(NotProven):
        check(odd)


def test_zero_takes_any_age() -> None:
    check(headers(age=10**6), max_age=0)

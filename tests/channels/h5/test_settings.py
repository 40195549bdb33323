"""The section of a web channel."""

import pytest
from pydantic import ValidationError

from channels.h5.settings import Settings
from config import Secret


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://Shop.Example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:80", "http://[::1]"),
        ("https://商店.example", "https://xn--czrs0t.example"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(written: str, origin: str) -> None:
    assert Settings(allowed_origins=(written,)).allowed_origins == (origin,)


@pytest.mark.parametrize(
    "written",
    [
        *("*", "null", "", "shop.example", "https://*.shop.example", "https://shop.example/path", "ftp://shop.example"),
        *("https://a@shop.example", "https://shop.example?x", "https://shop.example:x", "https://"),
    ],
)
def test_what_is_no_origin_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="write each origin in full"):
        Settings(allowed_origins=(written,))


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 32 bytes"):
        Settings(identity_secret=Secret("short"))


def test_without_an_origin_there_is_a_warning() -> None:
    assert [warning.partition(":")[0] for warning in Settings().warnings()] == ["allowed_origins"]
    assert Settings(allowed_origins=("https://shop.example",)).warnings() == []

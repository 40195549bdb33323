"""What the section takes."""

import pytest
from pydantic import ValidationError

from channels.wecom_bot.settings import Settings
from config import Secret
from tests.channels.wecom_bot.conftest import KEY, TOKEN


@pytest.mark.parametrize(
    ("keys", "missing"),
    [
        ({"token": Secret(TOKEN)}, "encoding_aes_key"),
        ({"encoding_aes_key": Secret(KEY)}, "token"),
        ({"transport": "websocket", "secret": Secret("s")}, "bot_id"),
        ({"transport": "websocket", "bot_id": "b"}, "secret"),
    ],
)
def test_each_transport_needs_its_own_keys(keys: dict[str, object], missing: str) -> None:
    with pytest.raises(ValidationError) as error:
        Settings.model_validate({"kind": "wecom_bot", **keys})
    assert [e["loc"] for e in error.value.errors()] == [(missing,)]


@pytest.mark.parametrize(
    "keys",
    [
        {"token": Secret(TOKEN), "encoding_aes_key": Secret(KEY)},
        {"transport": "websocket", "bot_id": "b", "secret": Secret("s")},
    ],
)
def test_and_no_others(keys: dict[str, object]) -> None:
    section = Settings.model_validate({"kind": "wecom_bot", **keys})

    assert {name: getattr(section, name) for name in section.model_fields_set} == {"kind": "wecom_bot", **keys}

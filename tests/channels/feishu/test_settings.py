"""The section in hub.toml."""

import pytest
from pydantic import ValidationError

from channels.feishu.settings import Settings
from config import Secret
from tests.channels.feishu.messages import ACCOUNT, PLAIN, settings


def test_a_webhook_needs_its_verification_token() -> None:
    given = {"kind": "feishu", "app_id": "cli", "app_secret": Secret("s")}

    with pytest.raises(ValidationError, match="Verification Token"):
        Settings.model_validate(given)
    assert Settings.model_validate({**given, "transport": "websocket"}).verification_token is None


def test_a_webhook_without_encryption_is_warned_of() -> None:
    assert "encrypt_key" in settings(PLAIN).warnings()[0]
    assert settings(ACCOUNT).warnings() == []
    assert settings(PLAIN, transport="websocket").warnings() == []

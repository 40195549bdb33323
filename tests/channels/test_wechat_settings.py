"""The sections of the WeChat family: what they refuse, with words that say what to write."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from channels.wechat_kf.channel import CustomerService
from channels.wechat_oa.channel import OfficialAccount
from channels.wecom.channel import WeCom
from config import Secret
from hub.channel import Traits
from tests.fakes import fake_site

KEY = Secret("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
OA: dict[str, Any] = {"app_id": "wx1", "app_secret": Secret("s"), "token": Secret("t")}
CORP: dict[str, Any] = {"corp_id": "ww1", "secret": Secret("s"), "token": Secret("t"), "encoding_aes_key": KEY}
APP: dict[str, Any] = {**CORP, "agent_id": 1}


def faults(section: type[BaseModel], given: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        section(**given)
    return {str(fault["loc"][0]): fault["msg"] for fault in caught.value.errors()}


@pytest.mark.parametrize(
    ("section", "given", "key", "text"),
    [
        (OfficialAccount.settings_type, OA | {"app_id": "my account"}, "app_id", "begins with wx"),
        (
            OfficialAccount.settings_type,
            OA | {"encoding_aes_key": Secret("short")},
            "encoding_aes_key",
            "has 5 characters",
        ),
        (OfficialAccount.settings_type, OA | {"cut": 5, "answer_within": 5}, "answer_within", "must be less than cut"),
        (OfficialAccount.settings_type, OA | {"api_base": "ftp://x"}, "api_base", "address"),
        (OfficialAccount.settings_type, OA | {"api_base": ""}, "api_base", "at least 1"),
        (OfficialAccount.settings_type, OA | {"pusch": True}, "pusch", "Extra"),
        (OfficialAccount.settings_type, OA | {"token": "spelled out"}, "token", "env:NAME"),
        (WeCom.settings_type, APP | {"corp_id": "企业"}, "corp_id", "begins with ww"),
        (WeCom.settings_type, APP | {"agent_id": 0}, "agent_id", "greater than 0"),
        (CustomerService.settings_type, CORP | {"encoding_aes_key": Secret("x" * 44)}, "encoding_aes_key", "has 44"),
    ],
)
def test_a_wrong_setting_is_named(section: type[BaseModel], given: dict[str, Any], key: str, text: str) -> None:
    assert text in faults(section, given)[key]


def test_every_fault_is_told_at_once() -> None:
    assert set(faults(WeCom.settings_type, {})) == {"corp_id", "agent_id", "secret", "token", "encoding_aes_key"}


def test_what_each_platform_can_show() -> None:
    site: Any = fake_site(None)  # type: ignore[arg-type]  # nothing is called
    oa = OfficialAccount.settings_type(**OA)
    pushing = OfficialAccount.settings_type(**OA, push=True)
    shown = [
        OfficialAccount(oa, site).traits,
        OfficialAccount(pushing, site).traits,
        WeCom(WeCom.settings_type(**APP), site).traits,
        CustomerService(CustomerService.settings_type(**CORP), site).traits,
    ]

    assert shown == [
        Traits(2048, markdown=False, citations="lines", answers_request=True, after_answer=0.5, pushes=False),
        Traits(2048, markdown=False, citations="lines", answers_request=True, after_answer=0.5, most_parts=5),
        Traits(2048, markdown=False, citations="lines", choices=True, choices_bytes=480),
        Traits(text_bytes=2048, markdown=False, citations="lines", most_parts=5),
    ]

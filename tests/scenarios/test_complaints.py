"""What users of such systems complain about, as whole turns: a real hub, every platform played by its simulator."""

import asyncio
from pathlib import Path

import pytest

from agent.models.scripted import Asked, Reply
from tests.bench.platforms import SIDES, App, Application, Bot, CustomerService, OfficialAccount, Robot, Side
from tests.scenarios.house import PATIENCE, house

LONG = "".join(f"第{n}条，退货须在七天以内提出，商品应当完好。" for n in range(460))
"""30 KB."""


def echo(asked: Asked) -> Reply:
    """Says again what was asked."""
    return Reply(f"答：{asked.question}")


async def test_wechat_a_late_answer_of_a_verified_account_is_pushed_exactly_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The callback is long answered with nothing when the answer comes."""
    async with (
        house(tmp_path, monkeypatch, OfficialAccount, script=lambda asked: Reply("九点", wait=1.5)) as at,
        at.running(),
    ):
        side = at.sides["wechat_oa"]
        assert isinstance(side, OfficialAccount)
        assert await at.say("wechat_oa", "几点开门") == 200
        assert at.read == {}
        assert await at.until("wechat_oa", 1) == ["九点"]
        assert await at.say("wechat_oa", "再问一次") == 200
        assert await at.until("wechat_oa", 2) == ["九点", "九点"]

        assert len(side.wechat.sent) == len(at.model.asked) == 2


@pytest.mark.parametrize("kind", SIDES, ids=lambda side: side.kind)
async def test_an_acknowledgement_waits_for_no_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Side]
) -> None:
    """The model answers in half a minute, which no platform waits for, and neither does this test."""
    async with house(tmp_path, monkeypatch, kind, script=lambda asked: Reply("九点", wait=30)) as at:
        at.file.write_text(at.file.read_text().replace("[hub]", "[hub]\ndrain = 0"))
        async with at.running():
            await at.sides[kind.kind].meet(at.http, at.ends, ["lin"])
            statuses = [await at.say(kind.kind, f"第{n}问") for n in range(5)]

            assert (statuses, at.read) == ([200] * 5, {})


async def test_feishu_a_redelivery_is_answered_once_also_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch, App, script=echo) as at:
        side = at.sides["feishu"]
        assert isinstance(side, App)
        event = side.platform.account.message("几点开门", user="lin")
        for _ in range(3):
            async with at.running():
                for _ in range(2):
                    assert (await side.platform.post(at.http, side.url, event))[0] == 200
                await at.until("feishu", 1)

        assert at.read["feishu lin"] == ["答：几点开门"]
        assert len(at.model.asked) == 1


async def test_dingtalk_a_redelivery_under_a_new_number_is_one_turn_also_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch, Robot, script=echo) as at:
        side = at.sides["dingtalk"]
        assert isinstance(side, Robot)
        message = side.platform.message("几点开门", user="lin")
        for _ in range(2):
            async with at.running():
                assert await side.platform.post(at.http, side.url, message) == 200
                await at.until("dingtalk", 1)

        assert at.read["dingtalk lin"] == ["答：几点开门"]


async def test_wecom_bot_thirty_kilobytes_of_chinese_arrive_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one stream does not hold comes by the response_url."""
    async with house(tmp_path, monkeypatch, Bot, script=lambda asked: Reply(LONG, pieces=200)) as at, at.running():
        side = at.sides["wecom_bot"]
        assert isinstance(side, Bot)
        assert await at.say("wecom_bot", "说说退货") == 200
        (stream,) = await at.until("wecom_bot", 1)
        await at.hub.gateway.drain(30) if at.hub else None

        assert len(LONG.encode()) > 30_000
        assert "".join((stream, *side.caller.posted)).replace("\n", "") == LONG


async def test_wechat_a_refused_address_is_told_with_the_address_and_the_answer_comes_after_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch, OfficialAccount, script=lambda asked: Reply("九点", wait=0.8)) as at:
        side = at.sides["wechat_oa"]
        assert isinstance(side, OfficialAccount)
        side.wechat.refuse("stable_token", 40164, "invalid ip 203.0.113.7, not in whitelist", times=1)
        async with at.running():
            await at.say("wechat_oa", "几点开门")
            while not (told := await at.warnings()):
                pass
            assert "203.0.113.7" in " ".join(told.values())
            side.wechat.faults.clear()
        async with at.running():
            assert await at.until("wechat_oa", 1) == ["九点"]


async def test_a_conversation_goes_on_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path, monkeypatch, Application, script=echo) as at:
        async with at.running():
            await at.say("wecom", "我想去西湖，怎么走")
            await at.until("wecom", 1)
        async with at.running():
            await at.say("wecom", "那门票呢")
            await at.until("wecom", 2)

        assert "西湖" in at.model.asked[-1].prompt


async def test_customer_service_a_question_that_no_model_answers_gets_a_last_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = house(
        tmp_path, monkeypatch, CustomerService, script=lambda asked: Reply("九点", wait=3600), agent="timeout = 0.5\n"
    )
    async with never as at, at.running():
        await at.say("wechat_kf", "几点开门")
        (said,) = await at.until("wechat_kf", 1)

        assert "没有找到" in said


async def test_customer_service_people_get_the_customer_also_where_the_hub_ended_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply that says so could not be sent before; the session moves after it, not before it."""
    async with house(tmp_path, monkeypatch, CustomerService, script=echo) as at:
        side = at.sides["wechat_kf"]
        assert isinstance(side, CustomerService)
        at.file.write_text(at.file.read_text() + "handover = []\n")
        side.service.refuse("kf/send_msg", -1)
        async with at.running():
            await at.say("wechat_kf", "转人工")
            async with asyncio.timeout(PATIENCE):
                await side.service.until(lambda: bool(side.service.of("kf/send_msg")))
        assert side.service.of("kf/service_state/trans") == []
        side.service.faults.clear()
        async with at.running():
            (said,) = await at.until("wechat_kf", 1)
            async with asyncio.timeout(PATIENCE):
                await side.service.until(lambda: bool(side.service.states))
            await at.say("wechat_kf", "有人吗")

        assert ("人工" in said, "转机器人" in said) == (True, False)
        assert list(side.service.states.values()) == [2]
        assert at.model.asked == []


INSIDE = "SecretInside-7d1f"


def broken(asked: Asked) -> Reply:
    """A model whose fault says more than people should read."""
    return Reply(status=500, raw=f'{{"error": {{"message": "Traceback: {INSIDE}"}}}}'.encode())


@pytest.mark.parametrize("kind", SIDES, ids=lambda side: side.kind)
async def test_a_fault_inside_never_shows_to_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Side]
) -> None:
    async with house(tmp_path, monkeypatch, kind, script=broken) as at, at.running():
        await at.sides[kind.kind].meet(at.http, at.ends, ["lin"])
        await at.say(kind.kind, "几点开门")
        said = " ".join(await at.until(kind.kind, 1))

        assert at.model.asked
        assert not [word for word in (INSIDE, "500", "Error", "Traceback", "rror") if word in said]

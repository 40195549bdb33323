"""Nothing is believed that is not proven to come from the platform, and nothing is read before it is."""

from dataclasses import replace

import pytest

from tests.channels.conformance.case import Call, Case
from tests.channels.conformance.world import World


async def test_a_wrong_proof_is_refused_before_the_body_is_read(world: World) -> None:
    call = world.case.sign(b"\xff\xfe nothing that anybody could read")
    if not world.case.proofs:
        assert 400 <= await world.status(call) < 500
    for name in world.case.proofs:
        value = call.proof(name)
        assert 400 <= await world.status(call.changed(name, value[:-1] + ("1" if value[-1] == "0" else "0"))) < 500

    assert world.messages == []


async def test_one_other_byte_in_the_proof_or_in_what_it_covers_is_refused(world: World) -> None:
    call = world.call("在吗")
    answers = [await world.status(forged) for forged in world.case.forged(call)]

    assert len(answers) >= 10
    assert [status for status in answers if not 400 <= status < 500] == []
    assert world.messages == []
    assert await world.status(call) == 200  # what was not touched is good all the same
    assert len(world.messages) == 1


async def test_what_nobody_signed_is_refused(world: World) -> None:
    call = world.call("在吗")
    if not world.case.proofs:
        call = replace(call, body=b"{}")
    unsigned = [Call(), Call(call.body), Call(b"{}"), Call(b"<xml></xml>"), Call(query={"a": "b"})]

    assert [s for s in [await world.status(each) for each in unsigned] if not 400 <= s < 500] == []
    assert world.messages == []


async def test_a_proof_may_not_stand_there_twice(world: World) -> None:
    call = world.call("在吗")
    named = [name for name in world.case.proofs if name in call.query]
    if not named:
        pytest.skip("the proof stands in headers or in the body")
    for name in named:
        twice = [*call.query.items(), (name, call.query[name])]
        async with world.http.post(world.url, params=twice, data=call.body) as response:
            assert 400 <= response.status < 500

    assert world.messages == []


async def test_an_empty_body_is_refused_however_well_it_is_signed(world: World) -> None:
    call = world.case.sign(b"")

    assert 400 <= await world.status(call) < 500
    assert 400 <= await world.status(replace(call, body=b"")) < 500
    assert world.messages == []


async def test_a_call_that_only_asks_is_refused(world: World) -> None:
    async with world.http.get(world.url) as response:
        assert 400 <= response.status < 500


@pytest.mark.parametrize("ahead", [False, True], ids=["old", "ahead"])
async def test_what_was_signed_long_ago_is_refused(world: World, ahead: bool) -> None:
    if world.case.no_age:
        pytest.skip(world.case.no_age)
    age = (world.channel.settings.max_age + 60) * (-1 if ahead else 1)

    assert await world.status(world.call("在吗", age=age)) == 403
    assert await world.status(world.call("在吗", age=age * 0.5)) == 200


async def test_a_signature_without_its_time_is_refused(case: Case, world: World) -> None:
    if case.no_age:
        pytest.skip(case.no_age)
    call = world.call("在吗")
    for name in (name for name in case.proofs if "imestamp" in name):
        for time in ("", "now", "-1", "1e9", "٣"):
            assert 400 <= await world.status(call.changed(name, time)) < 500

    assert world.messages == []

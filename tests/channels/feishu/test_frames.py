"""The frames of the long connection, and that lark-oapi on the other side understands them."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.feishu import frames
from channels.feishu.frames import CONTROL, DATA, Frame, Pieces
from hub.errors import Unreadable
from tests.channels.feishu.conftest import Make
from tests.channels.feishu.messages import ACCOUNT


def piece(name: str, number: int, count: int, data: bytes = b"x") -> Frame:
    headers = {"type": "event", "message_id": name, "sum": str(count), "seq": str(number)}
    return frames.read(frames.write(DATA, 7, headers, data))


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=5), st.binary(max_size=500), st.integers(0, 2**31 - 1))
def test_what_was_written_is_read(headers: dict[str, str], payload: bytes, service: int) -> None:
    frame = frames.read(frames.write(DATA, service, headers, payload))

    assert {name: frame.header(name) for name in headers} == headers
    assert (frame.payload, frame.raw.service, frame.control) == (payload, service, False)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_frame_are_unreadable(data: bytes) -> None:
    try:
        frame = frames.read(data)
    except Unreadable:
        return
    assert frames.acknowledge(frame, 200, milliseconds=1)


def test_a_ping_is_the_one_that_feishu_knows() -> None:
    frame = frames.read(frames.ping(33554678))

    assert (frame.raw.method, frame.raw.service, frame.header("type")) == (CONTROL, 33554678, "ping")


def test_an_acknowledgement_is_the_same_frame_with_a_code() -> None:
    given_frame = piece("m1", 0, 1)
    given_frame.raw.LogID, given_frame.raw.LogIDNew = 12, "log"
    ack = frames.read(frames.acknowledge(given_frame, 200, milliseconds=3))

    assert json.loads(ack.payload) == {"code": 200}
    assert [ack.header(name) for name in ("type", "message_id", "biz_rt")] == ["event", "m1", "3"]
    assert (ack.raw.LogID, ack.raw.LogIDNew) == (12, "log")


@given(st.permutations(range(5)))
def test_pieces_may_come_in_any_order(order: list[int]) -> None:
    pieces = Pieces()
    found = [pieces.whole(piece("m1", number, 5, bytes([65 + number]))) for number in order]

    assert found == [None] * 4 + [b"ABCDE"]


def test_pieces_of_two_messages_are_kept_apart() -> None:
    pieces = Pieces()
    pieces.whole(piece("a", 0, 2, b"1"))
    pieces.whole(piece("b", 0, 2, b"3"))

    assert pieces.whole(piece("a", 1, 2, b"2")) == b"12"
    assert pieces.whole(piece("b", 1, 2, b"4")) == b"34"


def test_a_message_that_never_gets_whole_is_given_up_for_later_ones() -> None:
    pieces = Pieces()
    for number in range(frames.MOST_BROKEN + 1):
        pieces.whole(piece(f"m{number}", 0, 2))

    assert pieces.whole(piece("m0", 1, 2)) is None
    assert pieces.whole(piece(f"m{frames.MOST_BROKEN}", 1, 2)) == b"xx"


@pytest.mark.parametrize(("number", "count"), [("2", "2"), ("0", "1000000"), ("x", "2"), ("-1", "2"), ("0", "9" * 20)])
def test_a_piece_that_is_none_is_unreadable(number: str, count: str) -> None:
    headers = {"type": "event", "message_id": "m", "sum": count, "seq": number}

    with pytest.raises(Unreadable):
        Pieces().whole(frames.read(frames.write(DATA, 7, headers, b"x")))


async def event_of(lines: asyncio.StreamReader) -> Any:
    """The next event that the client prints; it has a log of its own between them."""
    while line := await lines.readline():
        if line.startswith(b"{"):
            return json.loads(line)
    raise EOFError


async def test_lark_oapi_itself_understands_the_simulated_feishu(world: Make) -> None:
    w = await world()
    base = w.channel.settings.api_base
    script = Path(__file__).with_name("lark_client.py")
    client = await asyncio.create_subprocess_exec(
        sys.executable, str(script), base, ACCOUNT.app_id, ACCOUNT.app_secret, stdout=asyncio.subprocess.PIPE
    )
    assert client.stdout is not None
    try:
        async with asyncio.timeout(40):
            await w.platform.until(lambda: w.platform.gateway.count["ping"])
            ack = await w.platform.gateway.push(ACCOUNT.message("你好"), pieces=3, within=20)
            heard = await event_of(client.stdout)
            click = await w.platform.gateway.push(ACCOUNT.click({}, message="om", chat="oc"), within=20)
    finally:
        client.kill()
        await client.wait()

    assert ack is not None
    assert ack.code == 200
    assert json.loads(heard["message"]["content"]) == {"text": "你好"}
    assert click is not None
    assert click.answer == {"toast": {"type": "info"}}

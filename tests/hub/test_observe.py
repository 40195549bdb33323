"""What an operator sees, and what nobody ever sees."""

import asyncio
import gc
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog

from hub.observe import Metrics, configure_logs, masker, new_metrics, render

PASSWORD = 'pa"ss wörd'


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the logs go; what the process keeps global is put back afterwards."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    sys.excepthook, threading.excepthook = hooks
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[str]:
    """What was logged, without the time."""
    return [line.partition(" ")[2] for line in stream.getvalue().splitlines()]


def test_a_line_says_how_grave_what_and_which_ids(stream: io.StringIO) -> None:
    configure_logs(stream=stream)

    structlog.get_logger().info("accepted", turn="t1", channel="oa")

    assert lines(stream) == ["info    accepted turn=t1 channel=oa"]


def test_the_id_of_a_turn_stands_in_every_line_of_its_work(stream: io.StringIO) -> None:
    configure_logs(stream=stream)
    log = structlog.get_logger()

    with structlog.contextvars.bound_contextvars(turn="t1"):
        log.info("answered")
        log.warning("not sent", part=7)
    log.info("idle")

    assert lines(stream) == ["info    answered turn=t1", "warning not sent part=7 turn=t1", "info    idle"]


def test_json_lines_hold_the_same(stream: io.StringIO) -> None:
    configure_logs(json=True, stream=stream)

    structlog.get_logger().info("stored", document="退货")

    (line,) = stream.getvalue().splitlines()
    assert {**json.loads(line), "timestamp": ""} == {
        "event": "stored",
        "level": "info",
        "timestamp": "",
        "document": "退货",
    }
    assert "退货" in line


def test_what_is_below_the_level_is_not_logged(stream: io.StringIO) -> None:
    configure_logs("error", stream=stream)

    structlog.get_logger().warning("slow")

    assert lines(stream) == []


@pytest.mark.parametrize("as_json", [False, True])
def test_a_configured_secret_is_hidden_wherever_it_stands(stream: io.StringIO, as_json: bool) -> None:
    configure_logs(json=as_json, secrets=[PASSWORD, "s3cr3t"], stream=stream)
    log = structlog.get_logger()

    log.info("odd", value=PASSWORD, **{"s3cr3t": 1})
    try:
        raise ValueError(f"refused {PASSWORD}")
    except ValueError:
        log.exception("failed s3cr3t")
    logging.getLogger("library").error("sent %s", PASSWORD)

    shown = stream.getvalue()
    assert "s3cr3t" not in shown
    assert "wörd" not in shown
    assert shown.count("***") >= 5


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("GET /send?access_token=abc123&to=me", "GET /send?access_token=***&to=me"),
        ("?corpsecret=abc&appSecret=def corpid=1", "?corpsecret=***&appSecret=*** corpid=1"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ('{"access_token": "abc", "expires_in": 7200}', '{"access_token": "***", "expires_in": 7200}'),
        ("hello eyJhbGciOi.eyJzdWIiOi.c2ln end", "hello *** end"),
        ("key sk-abcdefgh1234", "key ***"),
        ("api_key=xyz", "api_key=***"),
        ("max_tokens=2048 key=oa basic rules", "max_tokens=2048 key=oa basic rules"),
        ("turn=01J8 channel=oa", "turn=01J8 channel=oa"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_whoever_it_belongs_to(line: str, shown: str) -> None:
    assert masker()(line) == shown


def test_a_longer_secret_is_hidden_whole() -> None:
    mask = masker(["abcd", "abcdefgh"])

    assert mask("it is abcdefgh") == "it is ***"


def test_a_secret_of_three_letters_would_be_found_everywhere() -> None:
    assert masker(["the"])("the end") == "the end"


def test_libraries_are_heard_from_warnings_upwards(stream: io.StringIO) -> None:
    configure_logs("debug", stream=stream)

    logging.getLogger("httpx").info("GET /?access_token=abc")
    logging.getLogger("httpx").warning("odd %d", 7)

    assert lines(stream) == ["warning odd 7 logger=httpx"]


async def test_an_exception_that_nobody_awaits_is_logged_with_its_traceback(stream: io.StringIO) -> None:
    configure_logs(stream=stream)

    async def fails() -> None:
        raise RuntimeError("lost")

    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    del task
    gc.collect()

    shown = stream.getvalue()
    assert "Task exception was never retrieved" in shown
    assert "RuntimeError: lost" in shown


def test_an_exception_that_ends_a_thread_is_logged_with_its_traceback(stream: io.StringIO) -> None:
    configure_logs(secrets=["geheim"], stream=stream)

    def fails() -> None:
        raise RuntimeError("lost geheim")

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()

    assert "uncaught" in stream.getvalue()
    assert "RuntimeError: lost ***" in stream.getvalue()


def test_an_exception_that_ends_the_process_is_logged(stream: io.StringIO) -> None:
    configure_logs(stream=stream)
    error = RuntimeError("over")

    sys.excepthook(RuntimeError, error, None)

    assert "RuntimeError: over" in stream.getvalue()


def test_personal_numbers_are_hidden_by_whoever_knows_how() -> None:
    mask = masker(personal=lambda line: line.replace("13812345678", "138…"))

    assert [mask("call 13812345678"), mask("call 110")] == ["call 138…", "call 110"]


@pytest.mark.parametrize("error", [OSError("no space left on device"), ValueError("I/O operation on closed file")])
def test_a_line_that_can_t_be_written_breaks_nobody(stream: io.StringIO, error: Exception) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise error

        def flush(self) -> None:
            raise error

    configure_logs(stream=Full())

    structlog.get_logger().info("accepted")
    logging.getLogger("library").error("odd")


# -- metrics


def samples(metrics: Metrics) -> dict[str, float]:
    """What is not zero, without the process's own and the times of creation."""
    found = {}
    for line in render(metrics).decode().splitlines():
        name, _, value = line.rpartition(" ")
        if name.startswith("hub_") and "_created" not in name and "_bucket" not in name and float(value):
            found[name] = float(value)
    return found


def test_every_step_of_a_message_is_counted() -> None:
    metrics = new_metrics()

    metrics.received("oa")
    metrics.received("oa")
    metrics.replied("oa", "builtin")
    metrics.turned("oa", 0.5)
    metrics.delivered("oa", "sent")
    metrics.delivered("oa", "closed")
    metrics.model_asked("small", 2.0)
    metrics.model_failed("small", "timeout")
    metrics.tool_called("search", "ok", 0.25)
    metrics.cache_asked(hit=True)
    metrics.cache_asked(hit=False)
    metrics.approved_asked("near")
    metrics.waiting(3, 1.5)

    assert samples(metrics) == {
        'hub_messages_total{channel="oa"}': 2.0,
        'hub_replies_total{channel="oa",engine="builtin"}': 1.0,
        'hub_turn_seconds_count{channel="oa"}': 1.0,
        'hub_turn_seconds_sum{channel="oa"}': 0.5,
        'hub_deliveries_total{channel="oa",outcome="sent"}': 1.0,
        'hub_deliveries_total{channel="oa",outcome="closed"}': 1.0,
        'hub_model_seconds_count{model="small"}': 1.0,
        'hub_model_seconds_sum{model="small"}': 2.0,
        'hub_model_failures_total{code="timeout",model="small"}': 1.0,
        'hub_tool_calls_total{outcome="ok",tool="search"}': 1.0,
        'hub_tool_seconds_count{tool="search"}': 1.0,
        'hub_tool_seconds_sum{tool="search"}': 0.25,
        "hub_cache_lookups_total": 2.0,
        "hub_cache_hits_total": 1.0,
        'hub_approved_lookups_total{outcome="near"}': 1.0,
        "hub_queue_depth": 3.0,
        "hub_oldest_waiting_seconds": 1.5,
    }


def test_warnings_are_shown_while_they_last() -> None:
    metrics = new_metrics()

    metrics.warned(["oa.address", "bot.kicked"])
    metrics.warned(["bot.kicked"])

    assert samples(metrics) == {'hub_warnings{key="bot.kicked"}': 1.0}


def test_two_hubs_in_one_process_count_apart() -> None:
    one, other = new_metrics(), new_metrics()

    one.received("oa")

    assert samples(other) == {}


def test_the_process_itself_is_measured() -> None:
    assert b"process_resident_memory_bytes" in render(new_metrics())


def test_a_log_that_cannot_be_written_breaks_nobody() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(27, "File too large")

        def flush(self) -> None:
            raise OSError(27, "File too large")

    configure_logs(stream=Full())

    structlog.get_logger().error("nothing can be written")

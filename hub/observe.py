"""What an operator sees: logs on standard error, and metrics in Prometheus' text format.

Every line of the log goes through `mask` as its last step, so that no way of writing one (an event, a
library's own logging, a traceback) shows a secret. The id of a turn is bound once where its work begins
(structlog.contextvars) and stands in every line from then on, from the callback to the receipt.

Nothing here is global but what Python keeps global itself: where logs and uncaught exceptions go.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TextIO, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from structlog.typing import EventDict, WrappedLogger

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

TURN_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 120)
TOOL_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
MODEL_SECONDS = (0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120)

# -- metrics


@dataclass(frozen=True, slots=True)
class Metrics:
    """All metrics of one hub, on a registry of their own."""

    registry: CollectorRegistry
    messages: Counter
    replies: Counter
    turns: Histogram
    deliveries: Counter
    models: Histogram
    model_failures: Counter
    tools: Counter
    tool_seconds: Histogram
    cache_lookups: Counter
    cache_hits: Counter
    approved: Counter
    depth: Gauge
    oldest: Gauge
    warnings: Gauge

    def received(self, channel: str) -> None:
        """A message was stored, for the first time."""
        self.messages.labels(channel).inc()

    def replied(self, channel: str, engine: str) -> None:
        """A reply was stored; `engine` is the one that spoke."""
        self.replies.labels(channel, engine).inc()

    def turned(self, channel: str, seconds: float) -> None:
        """A turn ended."""
        self.turns.labels(channel).observe(seconds)

    def delivered(self, channel: str, outcome: str) -> None:
        """A part was sent, or what came instead: closed, blocked, faulty, unknown, impossible."""
        self.deliveries.labels(channel, outcome).inc()

    def model_asked(self, model: str, seconds: float) -> None:
        """A model was asked; it answered or failed after so many seconds."""
        self.models.labels(model).observe(seconds)

    def model_failed(self, model: str, code: str) -> None:
        """A model gave no answer; `code` is short: a status, timeout, …"""
        self.model_failures.labels(model, code).inc()

    def tool_called(self, tool: str, outcome: str, seconds: float) -> None:
        """A tool was called; it was done, or not, after so many seconds."""
        self.tools.labels(tool, outcome).inc()
        self.tool_seconds.labels(tool).observe(seconds)

    def cache_asked(self, *, hit: bool) -> None:
        """An answer was looked for among those given before; a hit is given again without asking a model."""
        self.cache_lookups.inc()
        if hit:
            self.cache_hits.inc()

    def approved_asked(self, outcome: str) -> None:
        """An approved answer was looked for: hit, near (to a question like it) or miss."""
        self.approved.labels(outcome).inc()

    def waiting(self, depth: int, oldest: float) -> None:
        """How many messages wait for their turn or are in it, and for how many seconds the oldest has."""
        self.depth.set(depth)
        self.oldest.set(oldest)

    def warned(self, keys: Iterable[str]) -> None:
        """The warnings that an operator must act on now."""
        self.warnings.clear()
        for key in keys:
            self.warnings.labels(key).set(1)


def new_metrics() -> Metrics:
    """Metrics that count from zero."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)

    def counter(name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=registry)

    def seconds(name: str, text: str, label: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, (label,), registry=registry, buckets=buckets)

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=registry)

    return Metrics(
        registry,
        messages=counter("hub_messages", "Messages stored", "channel"),
        replies=counter("hub_replies", "Replies stored, by the engine that spoke", "channel", "engine"),
        turns=seconds("hub_turn_seconds", "From the lane to the stored reply", "channel", TURN_SECONDS),
        deliveries=counter("hub_deliveries", "Parts sent, and what came instead", "channel", "outcome"),
        models=seconds("hub_model_seconds", "How long a model took", "model", MODEL_SECONDS),
        model_failures=counter("hub_model_failures", "Models that gave no answer", "model", "code"),
        tools=counter("hub_tool_calls", "Tools called", "tool", "outcome"),
        tool_seconds=seconds("hub_tool_seconds", "How long a tool took", "tool", TOOL_SECONDS),
        cache_lookups=counter("hub_cache_lookups", "Questions looked for among those answered before"),
        cache_hits=counter("hub_cache_hits", "Answers given again without asking a model"),
        approved=counter("hub_approved_lookups", "Questions looked for among those with an approved answer", "outcome"),
        depth=gauge("hub_queue_depth", "Messages that wait for their turn or are in it"),
        oldest=gauge("hub_oldest_waiting_seconds", "How long the oldest of them has waited"),
        warnings=gauge("hub_warnings", "1 for each warning that an operator must act on", "key"),
    )


def render(metrics: Metrics) -> bytes:
    """Prometheus' text format."""
    return generate_latest(metrics.registry)


# -- logs

HIDDEN = "***"
SHORTEST = 4
"""A secret of fewer characters is not looked for: it would be found everywhere."""

LOOKS_SECRET = re.compile(
    r"(?P<name>(?:[Tt]oken|[Ss]ecret|[Tt]icket|[Aa]pi_?[Kk]ey|[Pp]assword)(?:=|[\"']: ?[\"']))[^&\s\"']+"
    r"|(?P<scheme>\b(?:Bearer|bearer|Basic|basic)\s+)[A-Za-z0-9._~+/=-]{6,}"
    r"|\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*"
    r"|\bsk-[A-Za-z0-9_-]{8,}"
)
"""A token in an address, an Authorization header, a JWT, a model's key: hidden whoever it belongs to."""
HINTS = ("oken", "ecret", "icket", "_key", "ikey", "iKey", "assword", "earer ", "asic ", "eyJ", "sk-")
"""A line without any of these holds nothing that looks secret; looking for them costs a tenth of the pattern."""


LONG_NUMBER = re.compile(r"\d{4}[ -]?\d{4}[ -]?\d{3}")
"""A line without such a number holds no mobile, bank card or ID card."""


def masker(secrets: Iterable[str] = (), *, personal: Callable[[str], str] | None = None) -> Callable[[str], str]:
    """A function that hides these values, and whatever looks like a secret, in a line.

    `personal` hides people's numbers; it is asked where a line holds one that is long enough.
    """
    spellings = {form for value in secrets for form in (value, json.dumps(value, ensure_ascii=False)[1:-1])}
    known = sorted((form for form in spellings if len(form) >= SHORTEST), key=len, reverse=True)

    def mask(line: str) -> str:
        for value in known:
            if value in line:
                line = line.replace(value, HIDDEN)
        if personal and LONG_NUMBER.search(line):
            line = personal(line)
        return LOOKS_SECRET.sub(_hide, line) if any(hint in line for hint in HINTS) else line

    return mask


def _hide(match: re.Match[str]) -> str:
    return (match["name"] or match["scheme"] or "") + HIDDEN


class Line:
    """The text form of a line: when, how grave, what happened, and the ids as key=value."""

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        when, level, what = event.pop("timestamp"), event.pop("level"), event.pop("event")
        trace = event.pop("exception", "")
        ids = "".join(f" {key}={value}" for key, value in event.items())
        return f"{when} {level:<7} {what}{ids}" + (f"\n{trace}" if trace else "")


def configure_logs(
    level: str = "info",
    *,
    json: bool = False,
    secrets: Iterable[str] = (),
    personal: Callable[[str], str] | None = None,
    stream: TextIO | None = None,
) -> None:
    """Sends all logs of the process to standard error: ours from `level`, libraries' from warnings upwards."""
    mask = masker(secrets, personal=personal)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False) if json else Line(),
            lambda logger, method, line: mask(str(line)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, Steady(stream or sys.stderr))),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[Bridge()], level=logging.WARNING, force=True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


class Steady:
    """A stream that a full disk does not break: a line that can't be written is lost, its writer goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes it, or not."""
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        """Flushes, or not."""
        with suppress(OSError, ValueError):
            self._stream.flush()


class Bridge(logging.Handler):
    """Hands what libraries log, asyncio's uncaught exceptions among it, to the log of the house."""

    def emit(self, record: logging.LogRecord) -> None:
        """One record."""
        structlog.get_logger().log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    structlog.get_logger().error("uncaught", exc_info=(kind, error, trace))

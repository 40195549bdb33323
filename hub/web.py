"""What every HTTP answer has in common, and the pages that tell how the hub is.

A Refusal becomes its 4xx, NotStored and every fault of ours a 503, so that the platform tries again. No
answer ever says more than that: no exception text, no stack trace.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from aiohttp import web

from hub.errors import NotStored, Refusal
from hub.observe import Metrics, render

log = structlog.get_logger()

MOST_BODY = 256 << 10
"""Bytes of a request's body; no platform sends more in a callback. Each channel may set less."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Check = Callable[[], Awaitable[bool]]


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors → statuses."""
    try:
        return await handler(request)
    except Refusal as refusal:
        log.info("refused", path=request.path, status=refusal.status, why=type(refusal).__name__)
        return web.Response(status=refusal.status, text="refused\n")
    except NotStored:
        return web.Response(status=503, text="try again\n", headers={"Retry-After": "5"})
    except web.HTTPException:
        raise
    except ConnectionError:
        raise
    except Exception:
        log.exception("a request failed", path=request.path)
        return web.Response(status=503, text="try again\n", headers={"Retry-After": "5"})


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the hub can work. `checks` by the name of what is needed; `warnings` by their key."""

    metrics: Metrics
    checks: Mapping[str, Check]
    warnings: Mapping[str, str]
    refresh: Callable[[], None]

    def routes(self) -> list[web.RouteDef]:
        """/healthz, /readyz, /metrics."""
        return [
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
            web.get("/metrics", self.metrics_page),
        ]

    async def healthz(self, _: web.Request) -> web.Response:
        """The process lives."""
        return web.json_response({"alive": True})

    async def readyz(self, _: web.Request) -> web.Response:
        """Every dependency answers; else their names. Warnings are what an operator must act on."""
        missing = [name for name, check in self.checks.items() if not await check()]
        body = {"ready": not missing, "missing": missing, "warnings": dict(self.warnings)}
        return web.json_response(body, status=503 if missing else 200)

    async def metrics_page(self, _: web.Request) -> web.Response:
        """Prometheus text."""
        self.refresh()
        return web.Response(body=render(self.metrics), content_type="text/plain", charset="utf-8")

"""The servers that tests talk to. A missing one skips a test with a line that says how to start it; it fails in CI."""

import os
import socket

import pytest

REDIS = "redis://127.0.0.1:6379/9"
RABBITMQ = "amqp://guest:guest@127.0.0.1:5672/"
POSTGRES = os.environ.get("TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
HOW = {
    6379: "start Redis: redis-server --daemonize yes",
    5672: "start RabbitMQ: rabbitmq-server -detached",
    5432: "start PostgreSQL: service postgresql start",
}


def needs(port: int) -> None:
    """Skips, or in CI fails, when nothing listens on this port of the machine."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        if os.environ.get("CI"):
            pytest.fail(f"nothing listens on port {port}; {HOW[port]}")
        pytest.skip(f"nothing listens on port {port}; {HOW[port]}")

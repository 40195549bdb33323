"""Errors say who must act. The docstring of each is what an operator reads in the log.

HubError
├── Refusal                 somebody outside sent us something that we do not take
│   ├── NotProven           403
│   ├── Unreadable          400
│   └── TooLarge            413
├── NotStored               503: the message could not be stored; the platform tries again
├── DeliveryError           a message could not be sent
│   ├── Faulty              try again, with backoff (a fault of the platform, a rate limit)
│   ├── Unknown             it may have arrived: asked of the platform where it can tell, else once more
│   ├── Closed              the platform takes nothing for this person now: kept for their next message
│   ├── Blocked             our address or our permission is refused: until the operator acts
│   └── Impossible          never (the person is gone, the content is refused)
└── ConfigError             hub.toml or a credential is wrong: the operator
"""


class HubError(Exception):
    """Something that the hub itself reports."""


class Refusal(HubError):
    """The request is not taken."""

    status = 400


class NotProven(Refusal):
    """The request is not proven to come from the platform."""

    status = 403


class Unreadable(Refusal):
    """The request can't be read."""

    status = 400


class TooLarge(Refusal):
    """The request is too large."""

    status = 413


class NotStored(HubError):
    """The message could not be stored. Nothing was acknowledged; see the log for the database's error."""


class DeliveryError(HubError):
    """A message could not be sent. `code` is the platform's own, for the log and the metrics."""

    def __init__(self, message: str = "", *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Faulty(DeliveryError):
    """The platform has a fault or asks us to slow down. Sent again after `after` seconds, or with backoff."""

    def __init__(self, message: str = "", *, code: str = "", after: float | None = None) -> None:
        super().__init__(message, code=code)
        self.after = after


class Unknown(DeliveryError):
    """The connection broke after the message was handed over; it may have arrived."""


class Closed(DeliveryError):
    """The platform takes nothing for this person now (window closed, quota used, no permission to push)."""


class Blocked(DeliveryError):
    """The platform refuses our address or our permission. `advice` tells the operator what to change."""

    def __init__(self, message: str = "", *, code: str = "", advice: str = "") -> None:
        super().__init__(message, code=code)
        self.advice = advice


class Impossible(DeliveryError):
    """The platform will never take this message."""


class ConfigError(HubError):
    """A setting or a credential is wrong. The message names the setting and what to write instead."""

"""The section of a DingTalk channel in hub.toml; every limit of the platform is a key with the documented default."""

from typing import Annotated, Literal

from pydantic import Field

from config import ChannelSection, Secret
from config.sections import Positive, Web

HOSTS = (".dingtalk.com", ".dingtalk.io")
"""Where session webhooks, stream endpoints and files of DingTalk live."""


class Settings(ChannelSection):
    """https://open.dingtalk.com/document/orgapp/robot-receive-message"""

    transport: Literal["stream", "webhook"] = "stream"
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Secret
    robot_code: str = ""
    """The robot's code; "" = the client id, as it is for the robot of an internal app."""
    card_template_id: str = ""
    buttons_template_id: str = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"
    """The card for a question with choices, DingTalk's own for Markdown with buttons; "" = choices are written out."""
    card_content_key: Annotated[str, Field(min_length=1)] = "content"
    api_base: Annotated[Web, Field(min_length=1)] = "https://api.dingtalk.com"
    directory: bool = False
    """Ask the directory for a member's e-mail and mobile, by which `[memory] trust` may know them elsewhere."""
    directory_base: Annotated[Web, Field(min_length=1)] = "https://oapi.dingtalk.com"
    """Where the directory answers."""
    max_age: Annotated[int, Field(ge=0)] = 3600
    group_context: Literal["group", "member"] = "group"
    """Whether a group shares one context, or each of its members has one."""

    body_bytes: Annotated[int, Field(gt=0)] = 1 << 20
    """Bytes of a callback; a longer one is not read."""
    text_bytes: Annotated[int, Field(ge=1000)] = 15_000
    """Bytes of text in one message; DingTalk refuses a body of more than 20,000 (460101)."""
    media_bytes: Annotated[int, Field(gt=0)] = 20 << 20
    media_hosts: tuple[str, ...] = (*HOSTS, ".aliyuncs.com", ".alicdn.com")
    timeout: Positive = 10.0
    webhook_margin: Annotated[float, Field(ge=0)] = 5.0
    """Seconds before its end at which a session webhook is no longer used."""
    api_rate: Annotated[int, Field(gt=0)] = 20
    """Calls of one API a second; DingTalk refuses at about 40 for an app."""
    card_interval: Positive = 0.8
    """Seconds between two changes of one card."""
    card_pause: Positive = 300.0
    """Seconds without cards after DingTalk refused one for want of a permission."""

    silence: Positive = 60.0
    """Seconds without any sign of life after which a connection counts as dead."""
    leaving: Positive = 15.0
    """Seconds that a connection whose end was announced is still read; DingTalk ends it after about 10."""
    reconnect_first: Positive = 1.0
    reconnect_most: Positive = 8.0

    @property
    def robot(self) -> str:
        """The code that names the robot in the API."""
        return self.robot_code or self.client_id

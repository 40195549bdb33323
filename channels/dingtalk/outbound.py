"""Sends a message the best way that is open: through its session webhook, else through the robot API.

https://open.dingtalk.com/document/orgapp/robot-reply-and-send-messages
"""

from collections import OrderedDict
from datetime import timedelta

import structlog
from yarl import URL

from channels.dingtalk import encode
from channels.dingtalk.openapi import OpenApi
from channels.dingtalk.payload import OUTSIDER, Session, group_of, moment, session_of
from channels.dingtalk.settings import HOSTS, Settings
from channels.kit.api import request
from channels.kit.hosts import trusted
from hub.channel import Site
from hub.errors import Closed, Faulty, Impossible
from hub.message import Conversation, InboundMessage, OutboundMessage, Receipt

log = structlog.get_logger()

KEPT = 10_000
"""Conversations whose newest session webhook is remembered."""


class Outbound:
    """Markdown messages of one robot."""

    def __init__(self, settings: Settings, site: Site, api: OpenApi) -> None:
        self._settings = settings
        self._site = site
        self._api = api
        self._latest: OrderedDict[Conversation, Session] = OrderedDict()

    def saw(self, message: InboundMessage) -> None:
        """Remembers where the conversation can be answered now: what was kept goes out through the newest webhook."""
        self._latest[message.conversation] = session_of(message.context)
        self._latest.move_to_end(message.conversation)
        if len(self._latest) > KEPT:
            self._latest.popitem(last=False)

    async def send(self, message: OutboundMessage) -> Receipt:
        """Raises DeliveryError; Closed where only the person's next message opens a way."""
        group = message.conversation.kind == "group"
        webhook = self._webhook(message)
        if webhook:
            try:
                return await self._by_session(webhook, message)
            except Closed as refused:
                if not group and outsider(message):
                    raise
                log.info("dingtalk session webhook refused", message=message.id, code=refused.code)
        if group:
            return await self._to_group(message)
        if outsider(message):
            raise Closed("neither a session webhook nor a staff id", code="no_way")
        return await self._to_person(message)

    def _webhook(self, message: OutboundMessage) -> str:
        """The message's own session webhook while it lasts, else the newest of its conversation; "" for none."""
        found = (session_of(message.context), self._latest.get(message.conversation, Session()))
        return next((session.webhook for session in found if self._open(session)), "")

    def _open(self, session: Session) -> bool:
        """Whether the session webhook may still be used, and leads to DingTalk."""
        if not session.webhook:
            return False
        if not trusted(session.webhook, self._settings.api_base, HOSTS):
            log.warning("dingtalk session webhook of a foreign host", host=URL(session.webhook).host)
            return False
        until = moment(session.until)
        return until is not None and until - self._site.clock() > timedelta(seconds=self._settings.webhook_margin)

    async def _by_session(self, webhook: str, message: OutboundMessage) -> Receipt:
        """HTTP 200 says nothing: whether it was taken stands in errcode."""
        body = encode.by_session(message.text)
        outcome = await request(self._site.http, "POST", webhook, body, timeout=self._settings.timeout)
        code = outcome.body.get("errcode", outcome.status)
        if outcome.status != 200 or code != 0:
            raise Closed("the session webhook takes it not", code=str(code))
        return Receipt()

    async def _to_group(self, message: OutboundMessage) -> Receipt:
        body = encode.by_robot(message.text, self._settings.robot)
        body["openConversationId"] = group_of(message.conversation)
        done = await self._api.call("POST", "/v1.0/robot/groupMessages/send", body)
        return Receipt(str(done.get("processQueryKey") or ""))

    async def _to_person(self, message: OutboundMessage) -> Receipt:
        user = message.recipient.user
        body = {**encode.by_robot(message.text, self._settings.robot), "userIds": [user]}
        done = await self._api.call("POST", "/v1.0/robot/oToMessages/batchSend", body)
        if user in (done.get("invalidStaffIdList") or ()):
            raise Impossible("no such staff id", code="invalidStaffId")
        if user in (done.get("flowControlledStaffIdList") or ()):
            raise Faulty("too many messages to this person", code="flowControlled", after=60.0)
        return Receipt(str(done.get("processQueryKey") or ""))


def outsider(message: OutboundMessage) -> bool:
    """Whether the recipient has no staff id, which the robot API needs."""
    return message.recipient.user.startswith(OUTSIDER)

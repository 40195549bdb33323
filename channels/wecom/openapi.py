"""The calls that an application needs: a message to a member, and a look at itself for `doctor`.

https://developer.work.weixin.qq.com/document/path/90236
"""

from collections.abc import Mapping

from channels.kit import harmless, wecom, xml
from channels.kit.cgi import Codes
from channels.kit.directory import reached
from channels.wecom.settings import Settings
from hub.channel import Site
from hub.errors import Faulty, Impossible
from hub.person import Evidence

WRONG_AGENT = "agent_id is wrong, or secret is that of another application"
CODES = Codes(
    meanings={
        **wecom.CODES,
        81013: "never",  # nobody of those named can be reached
        60111: "never",
        40003: "never",
        40056: "blocked",
        301002: "blocked",
    },
    advice={**wecom.ADVICE, 40056: WRONG_AGENT, 301002: WRONG_AGENT},
)


class OpenApi:
    """Calls for one application."""

    def __init__(self, settings: Settings, site: Site) -> None:
        self._settings, self._site = settings, site
        self._cgi = wecom.cgi(
            site,
            settings.api_base,
            corp_id=settings.corp_id,
            secret=settings.secret,
            name=str(settings.agent_id),
            codes=CODES,
            pause=settings.refusal_pause,
            seconds=settings.timeout,
        )

    async def member(self, user: str) -> tuple[Evidence, ...]:
        """How a member is reached, as far as the application may see it. Raises DeliveryError.

        https://developer.work.weixin.qq.com/document/path/90196
        """
        found = await self._cgi.call("GET", "/cgi-bin/user/get", query={"userid": user})
        return reached(found, email=("biz_mail", "email"))

    async def send(self, member: str, text: str, *, retry: bool) -> str:
        """One message; its id. `retry`: an earlier try may have arrived. Raises DeliveryError."""
        shown = self._settings.markdown
        words = (harmless.markdown if shown else harmless.untagged)(xml.clean(text))
        if not words.strip():
            raise Impossible("a message without words", code="empty")
        kind = "markdown" if shown else "text"
        return await self._send(member, kind, {"content": words}, retry=retry)

    async def send_card(self, member: str, card: Mapping[str, object], *, retry: bool) -> str:
        """One card; the id of its message. Raises DeliveryError."""
        return await self._send(member, "template_card", card, retry=retry)

    async def _send(self, member: str, kind: str, content: Mapping[str, object], *, retry: bool) -> str:
        await self._pace(member)
        body: dict[str, object] = {
            "touser": member,
            "agentid": self._settings.agent_id,
            "msgtype": kind,
            kind: content,
        }
        if retry:
            # Only here: the same words are often a right answer to two questions.
            body |= {"enable_duplicate_check": 1, "duplicate_check_interval": self._settings.duplicate_seconds}
        done = await self._cgi.call("POST", "/cgi-bin/message/send", body)
        if done.get("invaliduser") or done.get("unlicenseduser"):  # errcode is 0 nevertheless; ids come in lower case
            raise Impossible("the member can't be reached by this application", code="invaliduser")
        return str(done.get("msgid", ""))

    async def _pace(self, member: str) -> None:
        """WeCom drops what is beyond its rate without an error, so it must not get that far."""
        name = f"wecom:{self._settings.corp_id}:{self._settings.agent_id}:{member}"
        if wait := await self._site.coordination.limits.take(name, limit=self._settings.rate, seconds=60):
            raise Faulty("more messages a minute than WeCom lets through to one member", code="rate", after=wait)

    async def media(self, media_id: str) -> bytes:
        """The bytes of a file that somebody sent. Raises DeliveryError."""
        return await self._cgi.media(media_id, most=self._settings.media_bytes, seconds=self._settings.media_seconds)

    async def token(self) -> object:
        """A token straight from WeCom, to see whether it gives one. Raises DeliveryError."""
        return await self._cgi.fetch()

    async def agent(self) -> object:
        """What WeCom knows of the application. Raises DeliveryError."""
        return await self._cgi.call("GET", "/cgi-bin/agent/get", query={"agentid": str(self._settings.agent_id)})

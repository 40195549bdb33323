"""The calls that an Official Account needs: a token, a customer-service message, the sign that somebody is typing.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html
"""

from channels.kit import harmless, xml
from channels.kit.api import Outcome, request
from channels.kit.cgi import MEANINGS, Cgi, Codes
from channels.wechat_oa.settings import Settings
from hub.channel import Site
from hub.coordination import Token
from hub.errors import DeliveryError, Impossible

CODES = Codes(
    meanings={
        **MEANINGS,
        45015: "closed",  # 48 hours are over, or the person no longer follows
        45047: "closed",  # all messages of the window are used
        48001: "closed",  # the account may not use this API (personal, or not verified)
        43004: "closed",
        40164: "blocked",
        48004: "blocked",
        50002: "blocked",
        40003: "never",
    },
    advice={
        40013: "app_id is wrong: copy AppID from 设置与开发 → 基本配置",
        40125: "app_secret is wrong: reset AppSecret under 设置与开发 → 基本配置 and store the new one",
        40164: "add {ip} to 设置与开发 → 基本配置 → IP白名单",
        48004: "WeChat has closed this API to the account: see the notices in its console",
        50002: "WeChat has restricted the account: see the notices in its console",
    },
)
PUSH_REFUSED = "the account may not use the customer-service API: verify it, or write push = false"


class OpenApi:
    """Calls for one account."""

    def __init__(self, settings: Settings, site: Site) -> None:
        self._settings, self._site = settings, site
        self.pushes = settings.push
        """Whether the customer-service API is open to the account, as far as is known."""
        self._cgi = Cgi(
            site,
            settings.api_base,
            token=f"wechat_oa:{settings.app_id}",
            fetch=self._stable_token,
            codes=CODES,
            token_codes=CODES,
            pause=settings.refusal_pause,
            timeout=settings.timeout,
        )

    async def send(self, openid: str, text: str) -> None:
        """One customer-service message. Raises DeliveryError."""
        words = harmless.untagged(xml.clean(text))
        if not words.strip():
            raise Impossible("a message without words", code="empty")
        body = {"touser": openid, "msgtype": "text", "text": {"content": words}}
        try:
            await self._cgi.call("POST", "/cgi-bin/message/custom/send", body)
        except DeliveryError as error:
            if error.code == "48001":
                self.pushes = False
                self._site.warn("push", PUSH_REFUSED)
            raise

    async def typing(self, openid: str) -> None:
        """Shows the person that an answer is coming. Raises DeliveryError."""
        await self._cgi.call("POST", "/cgi-bin/message/custom/typing", {"touser": openid, "command": "Typing"})

    async def unionid(self, openid: str) -> str:
        """The follower's UnionID, "" where there is none. Raises DeliveryError."""
        return str((await self._cgi.call("GET", "/cgi-bin/user/info", query={"openid": openid})).get("unionid", ""))

    async def media(self, media_id: str) -> bytes:
        """The bytes of a file that somebody sent. Raises DeliveryError."""
        return await self._cgi.media(media_id, most=self._settings.media_bytes, seconds=self._settings.media_seconds)

    async def token(self) -> Token:
        """A token straight from WeChat, to see whether it gives one. Raises DeliveryError."""
        return await self._cgi.fetch()

    async def _stable_token(self, worn: bool) -> Outcome:
        """The token that all who ask share.

        A forced refresh ends it for everybody, so that comes only when WeChat refuses what it has just handed out.
        """
        body = {
            "grant_type": "client_credential",
            "appid": self._settings.app_id,
            "secret": self._settings.app_secret.value,
            "force_refresh": worn and await self._may_force(),
        }
        url = self._settings.api_base.rstrip("/") + "/cgi-bin/stable_token"
        return await request(self._site.http, "POST", url, body, timeout=self._settings.timeout)

    async def _may_force(self) -> bool:
        """At most every `refresh_pause` seconds and `refresh_daily` times a day."""
        daily, limits = self._settings.refresh_daily, self._site.coordination.limits
        name = f"wechat_oa:{self._settings.app_id}:refresh"
        if not daily or await limits.take(name, limit=1, seconds=self._settings.refresh_pause):
            return False
        return not await limits.take(f"{name}:day", limit=daily, seconds=86400)

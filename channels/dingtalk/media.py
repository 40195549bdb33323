"""Files that people send: a code in the message, a URL for the code, the bytes behind the URL.

https://open.dingtalk.com/document/orgapp/download-the-file-content-of-the-robot-receiving-message
"""

import aiohttp

from channels.dingtalk.openapi import OpenApi
from channels.dingtalk.settings import Settings
from channels.kit.download import download
from channels.kit.hosts import trusted
from hub.errors import Impossible
from hub.message import Media


async def fetch(settings: Settings, http: aiohttp.ClientSession, api: OpenApi, media: Media) -> bytes:
    """The bytes of a media part. Raises DeliveryError."""
    if not media.reference:
        raise Impossible("the message named no file", code="no_code")
    body = {"downloadCode": media.reference, "robotCode": settings.robot}
    found = await api.call("POST", "/v1.0/robot/messageFiles/download", body)
    url = str(found.get("downloadUrl") or "")
    if not trusted(url, settings.api_base, settings.media_hosts):
        raise Impossible("the file lies on a foreign host", code="host")
    return await download(http, url, most=settings.media_bytes, seconds=settings.timeout)

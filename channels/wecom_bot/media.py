"""Files that people send to the bot: behind a URL for five minutes, and encrypted.

AES-256-CBC, the first half of the key as initialisation vector, PKCS7 to blocks of 32. The key is that of the callback,
over the long connection one of each file's own (https://developer.work.weixin.qq.com/document/path/100719).
"""

import asyncio
import base64
import binascii

import aiohttp
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from channels.kit.download import download
from channels.kit.hosts import trusted
from channels.wecom_bot.payload import file_of
from channels.wecom_bot.settings import Settings
from hub.errors import Impossible, Unreadable
from hub.message import Media

BLOCK = 32


async def fetch(settings: Settings, http: aiohttp.ClientSession, media: Media) -> bytes:
    """The bytes of a media part. Raises DeliveryError."""
    try:
        file = file_of(media)
    except Unreadable as error:
        raise Impossible(str(error), code="no_file") from None
    if not trusted(file.url, settings.api_base, settings.media_hosts):
        raise Impossible("the file lies on a foreign host", code="host")
    key = file.aeskey or (settings.encoding_aes_key.value if settings.encoding_aes_key else "")
    most = settings.media_bytes + BLOCK
    sealed = await download(http, file.url, most=most, seconds=settings.timeout)
    return await asyncio.to_thread(decrypt, sealed, key)


def decrypt(sealed: bytes, key: str) -> bytes:
    """The file inside. Raises Impossible."""
    try:
        raw_key = base64.b64decode(key + "=" * (-len(key) % 4), validate=True)
        box = Cipher(algorithms.AES256(raw_key), modes.CBC(raw_key[:16])).decryptor()
        plain = box.update(sealed) + box.finalize()
    except (ValueError, binascii.Error):
        raise Impossible("the file can't be decrypted", code="key") from None
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= BLOCK or plain[-padding:] != plain[-1:] * padding:
        raise Impossible("the file can't be decrypted", code="padding")
    return plain[:-padding]

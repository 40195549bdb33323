"""Feishu, and Lark by its `api_base`: a bot of a self-built app, by callback or by long connection.

https://open.feishu.cn/document/develop-an-echo-bot/introduction

In: texts and posts (rich texts), pictures, files, speech and videos as media to fetch, places, recalls, and clicks on
our own buttons; in groups only what mentions the bot is answered. Out: a card that grows while the answer is being
written (with `stream`), else a Markdown card, a plain text where a card is refused; buttons for choices. Other events
are acknowledged and left alone. Not supported: sending pictures and files, forwarded bundles, quoted messages, apps
from the store.
"""

from channels.feishu.channel import Feishu

CHANNEL = Feishu

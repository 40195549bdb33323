"""WeCom's AI bot (智能机器人), by callback or by long connection.

https://developer.work.weixin.qq.com/document/path/101039

In: texts, mixed messages, speech (as WeCom's own words), pictures, files and videos; in groups only what mentions
the bot. Out: a stream of Markdown that grows. As a callback, WeCom asks for the stream until it is finished
(6 minutes at most), what comes later goes through the message's response_url (once, within an hour), and what finds
no way waits for the person's next message. Over the long connection the stream is pushed, and so is what comes later.
Not supported: template cards (choices are written out as words), pictures in answers, uploads.
"""

from channels.wecom_bot.channel import WecomBot

CHANNEL = WecomBot

"""WeCom (企业微信), a self-built application: messages by callback, answers by message/send.

https://developer.work.weixin.qq.com/document/path/90236
https://developer.work.weixin.qq.com/document/path/90238

In: texts, clicks in the application's menu and on the buttons of cards; pictures, speech, videos, places and links
are recorded and answered with a request for words; joining the application brings a welcome; every other event is
recorded. Out: plain text, or WeCom's own Markdown (`markdown = true`; members who read in WeChat do not see it); a
short question with choices as a card with buttons (`buttons`). Not supported: application groups (appchat can only be
written to), other template cards, sending files. The AI bot is a kind of its own (wecom_bot), customer service
another (wechat_kf).

The callback is acknowledged as soon as the message is stored; the answer always goes out by the API.
"""

from channels.wecom.channel import WeCom

CHANNEL = WeCom

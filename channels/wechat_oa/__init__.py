"""WeChat Official Account (微信公众号): messages by callback, answers in the callback or by the customer-service API.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html

In: texts, speech where the account has its recognition switched on, menu clicks; pictures, videos, places and links are
recorded and answered with a request for words; following the account brings a welcome; every other event is recorded.
Out: plain text, in the HTTP answer while WeChat waits for it (5 seconds, three tries of one message), else through the
customer-service API (`push = true`), else with the person's next message. Plain, compatible and safe mode. Not
supported: sending pictures or articles, template messages, menus, and moving people to WeChat's own customer service.

wechatpy gives the cipher and renders the reply. Its client is not used: it blocks, knows no stable_token, and on 40001
it calls itself without end.
"""

from channels.wechat_oa.channel import OfficialAccount

CHANNEL = OfficialAccount

"""WeChat customer service (微信客服): a bell by callback, messages by sync_msg, answers by send_msg.

https://developer.work.weixin.qq.com/document/path/94670
https://developer.work.weixin.qq.com/document/path/94677

In: texts and menu choices; pictures, speech, videos, files, places and links are recorded and answered with a request
for words; entering the chat brings a welcome. What colleagues and the system say is recorded and never answered; while
a colleague has the session, or the customer waits for one, the hub is silent. Somebody who asks for a person is moved
into the queue. Out: plain text. Not supported: menus, cards and files to the customer, managing desks and staff.
"""

from channels.wechat_kf.channel import CustomerService

CHANNEL = CustomerService

"""DingTalk: a robot of an internal app, by stream connection or by HTTP callback.

https://open.dingtalk.com/document/orgapp/robot-overview

In: texts, rich texts, pictures, speech (by DingTalk's own recognition), videos and files; in groups only what
mentions the robot. Out: an AI card that grows (with `card_template_id`), else Markdown through the session
webhook of the message while it lasts, else through the robot API; a question with choices as a card with buttons
(with a stream connection, over which a press comes in). Not supported: sending files, scene groups, event
subscriptions (they are acknowledged and left alone).

dingtalk-stream gives the frames and the message model. Its connection loop is not used: it reconnects without
a pause after a clean close, swallows cancellation, closes at once when a disconnect is announced, and blocks the
event loop while it asks for an endpoint.
"""

from channels.dingtalk.channel import DingTalk

CHANNEL = DingTalk

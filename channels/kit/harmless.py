"""Words in which nothing acts by itself: an answer may hold what others wrote, and platforms obey some words. Pure.

A picture tells its owner who reads the answer, a link of a foreign scheme speaks in the reader's name (dtmd: on
DingTalk, weixin://bizmsgmenu in WeChat), a tag mentions everybody or hides what follows it. Nothing becomes longer by
this, since limits are in bytes; code is treated alike, because clients disagree about where it ends.

https://open.dingtalk.com/document/orgapp/robot-message-type
https://developer.work.weixin.qq.com/document/path/100719 (<@userid>)
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html (<a href>)
"""

import re

PICTURE = re.compile(r"!(?=\[[^\[\]\n]{0,200}\]\()")
STRAY = re.compile(r"!(?=\[(?!\d{1,3}\](?![\[(])))")
"""What else may begin a picture; a mark like [1] behind an exclamation does not."""
FOREIGN = re.compile(r"\]\((?!\s*<?(?:https?://|mailto:|tel:))", re.IGNORECASE)
TAG = re.compile(r"<(?=@|/?(?:a|at|audio|iframe|img|link|object|person|script|svg|think|video)\b)", re.IGNORECASE)
AUTOMATIC = re.compile(r"<(?=(?!https?:|mailto:|tel:)[a-z][a-z0-9+.-]{1,31}:)", re.IGNORECASE)


def markdown(text: str) -> str:
    """Markdown whose pictures are links, and whose links lead to web pages, mailboxes and telephones."""
    text = STRAY.sub(" ", PICTURE.sub("", text))
    return AUTOMATIC.sub(" ", untagged(FOREIGN.sub("] ", text)))


def untagged(text: str) -> str:
    """A text with no tag that a platform obeys."""
    return TAG.sub(" ", text)

"""The web: a widget for any page, over WebSocket or server-sent events. The platform is ours, so is its protocol.

One script tag puts the widget into a page; `window.AgentHub` opens it and names the visitor (static/widget.js). In:
texts. Out: Markdown as sanitised HTML that grows while it is written, sources with the quoted passage, choices as
buttons. Replies are not sent but fetched: storing one delivers it, and a page that comes back reads all that it missed.
Not supported: pictures, voice and files from visitors.
"""

from channels.h5.channel import H5

CHANNEL = H5

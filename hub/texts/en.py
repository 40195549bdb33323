"""English."""

from hub.texts import Texts

TEXTS = Texts(
    failed="Sorry, I could not answer just now. Please try again in a moment.",
    unknown="Sorry, I found no answer to this in what I know. Please ask in other words or add a detail.",
    pending="Your question is being worked on. Send any message in a moment to see the answer.",
    more="(There is more: send any message to read on.)",
    welcome="Hello! Just type your question.",
    only_words="I can only read words for now. Please tell me in words what you need.",
    sources="Sources:",
    below="Please see the next message.",
    choose="Please reply: {choices}",
)

"""English."""

from hub.texts import Texts, WebTexts

TEXTS = Texts(
    failed="Sorry, I could not answer just now. Please try again in a moment.",
    unknown="Sorry, I found no answer to this in what I know. Please ask in other words or add a detail.",
    pending="Your question is being worked on. Send any message in a moment to see the answer.",
    more="(There is more: send any message to read on.)",
    welcome="Hello! Just type your question.",
    only_words="I can only read words for now. Please tell me in words what you need.",
    sources="Sources:",
    below="Please see the next message.",
    taken="Got it",
    later="This takes a little longer. The answer follows as a message of its own.",
    received="Received.",
    queued="You are being put through to a person. Please wait a moment.",
    choose="Please reply: {choices}",
    web=WebTexts(
        unreadable="This message could not be read.",
        too_large="This is too long. Please shorten it and send it again.",
        no_hello="Please say hello before anything else.",
        greeted="You have said hello already; connect again to be somebody else.",
        unknown_visitor="We could not tell who you are. Please open the chat again.",
        identity_refused="Your sign-in could not be verified. Please sign in again.",
        identity_expired="Your sign-in has expired. Please sign in again to go on.",
        origin_refused="This web page may not use this service.",
        rate_limited="That was a little fast. Please try again in {seconds} s.",
        crowded="Too many connections are open. Please close some pages and try again.",
        not_stored="The message could not be saved just now. Please try again in a moment.",
    ),
    greeting="Hello! I answer from our documents. What would you like to know?",
    thanks="You are welcome. Just ask if there is anything else.",
    acknowledged="All right. Just ask if there is anything else.",
    goodbye="Goodbye, and come back any time.",
    introduction="I am the assistant here. I look up answers in our documents and name the source. Just type your question.",
    remembered="You told me:",
)

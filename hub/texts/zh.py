"""Chinese."""

from hub.texts import Texts

TEXTS = Texts(
    failed="抱歉，我这边暂时没能答上来，请稍后再试一次。",
    unknown="抱歉，现有资料里没有找到这个问题的答案。您可以换个说法再问，或者补充一些细节。",
    pending="您的问题正在处理，稍后回复任意文字即可查看答案。",
    more="（内容较长，回复任意文字查看余下部分）",
    welcome="您好，很高兴为您服务，请直接输入您的问题。",
    only_words="我暂时只看得懂文字，请用文字告诉我您的问题。",
    sources="来源：",
    below="内容见下一条消息。",
    choose="请回复：{choices}",
)

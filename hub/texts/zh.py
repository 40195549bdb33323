"""Chinese."""

from hub.texts import Texts, WebTexts

TEXTS = Texts(
    failed="抱歉，我这边暂时没能答上来，请稍后再试一次。",
    unknown="抱歉，现有资料里没有找到这个问题的答案。您可以换个说法再问，或者补充一些细节。",
    pending="您的问题正在处理，稍后回复任意文字即可查看答案。",
    more="（内容较长，回复任意文字查看余下部分）",
    welcome="您好，很高兴为您服务，请直接输入您的问题。",
    only_words="我暂时只看得懂文字，请用文字告诉我您的问题。",
    sources="来源：",
    below="内容见下一条消息。",
    taken="收到",
    later="这个问题需要更久一点，答案稍后发给您。",
    received="已收到。",
    queued="正在为您转接人工服务，请稍候。",
    choose="请回复：{choices}",
    web=WebTexts(
        unreadable="这条消息的格式不对，无法读取。",
        too_large="内容太长了，请缩短后再发。",
        no_hello="请先打招呼（hello），再发送消息。",
        greeted="已经打过招呼了；要换身份，请重新连接。",
        unknown_visitor="无法确认您的身份，请重新打开对话。",
        identity_refused="身份验证没有通过，请重新登录后再试。",
        identity_expired="登录已过期，请重新登录后继续。",
        origin_refused="这个网页没有获准使用本服务。",
        rate_limited="您发得太快了，请过 {seconds} 秒再试。",
        crowded="打开的连接太多了，请关闭一些页面后再试。",
        not_stored="消息暂时没能保存，请稍后再试。",
    ),
    greeting="您好！我可以根据资料回答您的问题，请直接告诉我您想了解什么。",
    thanks="不客气，还有什么想了解的，随时问我。",
    acknowledged="好的，有需要随时问我。",
    goodbye="再见，有需要随时找我。",
    introduction="我是这里的智能助手，会从现有资料里为您查找答案，并注明出处。请直接输入您的问题。",
    remembered="您告诉过我：",
)

/* What the widget says, one object a language, Chinese first. `{0}` is filled in. */

const TEXTS = {
  zh: {
    title: "在线客服",
    open: "打开客服对话",
    openUnread: "打开客服对话，{0} 条新消息",
    close: "关闭对话",
    greeting: "您好，有什么可以帮您？",
    log: "对话记录",
    input: "输入您的问题",
    send: "发送",
    online: "在线",
    connecting: "正在连接…",
    ended: "未连接",
    offline: "网络已断开，恢复后会自动发送。",
    retrying: "暂时连不上，正在重试。您的消息会保留。",
    you: "我",
    agent: "客服",
    pending: "发送中…",
    sources: "来源",
    source: "来源 {0}：{1}",
    original: "打开原文",
    newer: "看最新消息",
    tooFast: "您发得有点快，{0} 秒后会自动重发。",
    notStored: "消息暂时没能送达，正在重试。",
    tooLarge: "未发送：内容太长，请缩短后再发。",
    unreadable: "未发送：内容无法读取。",
    signIn: "登录状态已失效，请重新登录后继续。",
    crowded: "打开的对话太多了，请关闭一些页面后再试。",
  },
  en: {
    title: "Support chat",
    open: "Open the support chat",
    openUnread: "Open the support chat, {0} new messages",
    close: "Close the chat",
    greeting: "Hello! How can we help?",
    log: "Conversation",
    input: "Type your question",
    send: "Send",
    online: "Online",
    connecting: "Connecting…",
    ended: "Not connected",
    offline: "You are offline. Your message will be sent as soon as you are back.",
    retrying: "We can't connect just now and keep trying. Your messages are kept.",
    you: "You",
    agent: "Support",
    pending: "Sending…",
    sources: "Sources",
    source: "Source {0}: {1}",
    original: "Open the original",
    newer: "Newest messages",
    tooFast: "That was a little fast. It will be sent again in {0} s.",
    notStored: "The message did not get through yet. Trying again.",
    tooLarge: "Not sent: this is too long. Please shorten it.",
    unreadable: "Not sent: this could not be read.",
    signIn: "Your sign-in has ended. Please sign in again to go on.",
    crowded: "Too many chats are open. Please close some pages and try again.",
  },
};

const filled = (text, ...values) => text.replace(/\{(\d)\}/g, (_, at) => values[at]);

/** The language asked for, else the page's, else the browser's; English for those that we do not speak. */
const languageOf = (asked) => {
  const tags = [asked, document.documentElement.lang, navigator.language];
  return tags.map((tag) => (tag || "").slice(0, 2).toLowerCase()).find((tag) => tag in TEXTS) || "en";
};

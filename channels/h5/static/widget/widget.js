/* Puts the widget into the page: <script src="…/widget.js" async data-title="…" data-colour="#0b6b5d"></script>

   data-title, data-greeting   what stands at the top, and what is said first
   data-questions              questions to begin with, with | between them
   data-colour                 the accent, any CSS colour
   data-position               "right" or "left"
   data-language               "zh", "en" or "auto": the page's language, else the browser's
   data-identity               the name of a global function that gives the visitor's JWT, at once or as a promise

   window.AgentHub: open(), close(), identify(JWT or function), signOut(). Before the script is there, a page may set
   window.AgentHub = [(hub) => hub.identify(token)]; these are called then. */

const script = document.currentScript;

const mount = ({ src, nonce, dataset }) => {
  const base = new URL(".", src).href;
  const language = languageOf(dataset.language === "auto" ? "" : dataset.language);
  const words = TEXTS[language];
  const host = document.createElement("agent-hub");
  host.lang = language === "zh" ? "zh-CN" : "en";
  const root = host.attachShadow({ mode: "open" });
  document.body.append(host);
  styled(root, STYLE + palette(dataset.colour || dataset.color || "#0b6b5d", root), nonce);

  const messages = new Messages({ words, base, language: host.lang, say: (text) => conversation.say(text) });
  const questions = (dataset.questions || "").split("|").map((question) => question.trim()).filter(Boolean);
  const greet = () => messages.greet(dataset.greeting || words.greeting, questions);
  const panel = new Panel({ host, root, words, messages, options: dataset, opened: () => conversation.start() });
  const view = {
    state: (state, failures) => panel.state(state, failures),
    notice: (name, pause, ...values) => panel.notice(filled(words[name], ...values), pause),
    asked: (id, text) => messages.asked(id, text),
    accepted: (...told) => messages.accepted(...told),
    refused: (id, name) => messages.refused(id, words[name]),
    grew: (turn, text) => messages.grew(turn, text),
    replied: (reply, news) => {
      messages.replied(reply);
      if (news) panel.announce(reply.text);
    },
    clear: () => {
      messages.clear();
      greet();
    },
  };
  greet();
  const conversation = new Conversation(base, new Store(`agent-hub:${base}`), view);
  if (dataset.identity) conversation.identify = () => window[dataset.identity]();
  return {
    open: () => panel.unfold(),
    close: () => panel.fold(),
    identify: (identity) => conversation.become(identity),
    signOut: () => conversation.become(null),
  };
};

const begin = () => {
  const early = Array.isArray(window.AgentHub) ? window.AgentHub : [];
  const hub = mount(script);
  hub.push = (told) => told(hub);
  window.AgentHub = hub;
  early.forEach((told) => told(hub));
};

if (!window.AgentHub || Array.isArray(window.AgentHub)) {
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
}

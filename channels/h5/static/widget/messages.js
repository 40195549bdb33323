/* The conversation as it is seen: bubbles, answers that grow, sources that open, choices to press. */

/** Markdown as it reads while it is written, and aloud: without its signs. */
const plain = (text) => text.replace(/\*\*|__|^#{1,6} |`/gm, "");

const PAUSE = 10 * 60000; // after which the time is shown between two messages

class Messages {
  constructor({ words, base, say, language }) {
    this.words = words;
    this.base = base;
    this.say = say;
    this.language = language;
    // Screen readers are told finished answers by the announcer, not every bubble: the log itself keeps quiet.
    // It takes the focus, so that the arrow keys scroll it.
    const log = { class: "log", role: "log", "aria-live": "off", "aria-label": words.log, tabindex: "0" };
    this.log = el("div", log);
    this.live = el("div", { class: "live", "aria-hidden": "true" });
    this.dots = el("div", { class: "dots", hidden: true }, el("i"), el("i"), el("i"));
    this.node = el("div", { class: "scroll", tabindex: "-1" }, this.log, this.live, this.dots);
    const newer = { class: "newer", type: "button", hidden: true, "aria-label": words.newer };
    this.newer = el("button", { ...newer, onclick: () => this.toEnd() }, icon("down"));
    this.node.addEventListener("scroll", () => this.near() && (this.newer.hidden = true), { passive: true });
    this.clear();
  }

  clear() {
    this.log.replaceChildren();
    this.live.replaceChildren();
    this.bubbles = new Map();
    this.drafts = new Map();
    this.waiting = new Set();
    this.labels = new Map();
    this.said = 0;
    this.think();
  }

  /** What is said first, and questions to begin with. */
  greet(text, questions) {
    const greeting = el("div", { class: "answer" }, el("div", { class: "text" }, el("p", {}, text)));
    if (questions.length) greeting.append(this.choices(questions.map((value) => ({ label: value, value }))));
    this.log.append(greeting);
  }

  near() {
    return this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < 80;
  }

  toEnd() {
    this.node.scrollTop = this.node.scrollHeight;
    this.newer.hidden = true;
  }

  /** Does something that makes the log longer, and stays at its end where the reader is there. */
  grown(change, mine) {
    const stay = mine || this.near();
    change();
    if (stay) this.toEnd();
    else this.newer.hidden = false;
  }

  /** `text` as it was said; what a button says is shown as the button's label. */
  asked(id, text, at) {
    if (this.bubbles.has(id)) return;
    const shown = this.labels.get(text) || text;
    const state = el("span", { class: "state" });
    const who = el("span", { class: "sr" }, `${this.words.you}: `);
    const bubble = el("div", { class: "asked" }, who, el("p", {}, shown), state);
    this.bubbles.set(id, bubble);
    this.grown(() => {
      this.time(at || new Date().toISOString());
      this.unchoose();
      this.log.append(bubble);
    }, !at);
    if (!at) setTimeout(() => bubble.classList.contains("sent") || this.mark(bubble, this.words.pending), 800);
  }

  mark(bubble, text) {
    if (!bubble.classList.contains("refused")) bubble.querySelector(".state").textContent = text;
  }

  accepted(id, text, at, waits) {
    this.asked(id, text, at);
    const bubble = this.bubbles.get(id);
    bubble.classList.add("sent");
    this.mark(bubble, "");
    if (waits) {
      this.waiting.add(id);
      setTimeout(() => this.waiting.delete(id) && this.think(), STALE_WAIT);
      this.grown(() => this.think(), true);
    }
  }

  refused(id, text) {
    const bubble = this.bubbles.get(id);
    if (!bubble) return;
    this.mark(bubble, text);
    bubble.classList.add("refused");
  }

  /** Three dots, while somebody waits and nothing is to be read yet. */
  think() {
    this.dots.hidden = !this.waiting.size || this.drafts.size > 0;
  }

  grew(turn, text) {
    let draft = this.drafts.get(turn);
    this.grown(() => {
      if (!draft) {
        draft = el("div", { class: "answer draft" }, el("div", { class: "text" }, el("p", {})));
        this.drafts.set(turn, draft);
        this.live.append(draft);
        this.think();
      }
      draft.querySelector("p").textContent = plain(text);
    });
  }

  replied(reply) {
    this.waiting.delete(reply.reply_to);
    const draft = this.drafts.get(reply.turn);
    this.drafts.delete(reply.turn);
    this.grown(() => {
      if (draft) draft.remove();
      this.time(reply.at);
      this.unchoose();
      this.log.append(this.answer(reply));
      this.think();
    });
  }

  answer(reply) {
    const sources = new Map(reply.citations.map((citation) => [citation.label, this.source(citation)]));
    const body = parsed(reply.html);
    const text = el("div", { class: "text" });
    if (body) copied(body, text, (words, parent) => this.marked(words, parent, sources));
    else text.append(el("p", {}, reply.text));
    const answer = el("article", { class: "answer" }, el("span", { class: "sr" }, `${this.words.agent}: `), text);
    const group = { class: "sources", role: "group", "aria-label": this.words.sources };
    if (sources.size) answer.append(el("div", group, ...sources.values()));
    if (reply.choices) answer.append(this.choices(reply.choices));
    return answer;
  }

  /** A source, closed; open, it shows the passage that the answer rests on. */
  source({ label, title, url, quote }) {
    const href = url && address(url, this.base);
    const summary = el("summary", {}, el("b", {}, label), el("span", {}, title || this.words.sources), icon("arrow"));
    const body = el("div", { class: "quote" }, el("blockquote", {}, quote));
    if (href) body.append(linked(el("a", {}, this.words.original, icon("out")), href));
    return el("details", {}, summary, body);
  }

  /** Words with their marks like [1] made into buttons that open the source. */
  marked(words, parent, sources) {
    if (parent.closest("a, code, pre")) return [words];
    return words.split(/(\[\d{1,3}\])/).map((part) => {
      const label = part.slice(1, -1);
      const source = part === `[${label}]` && sources.get(label);
      if (!source) return part;
      const name = filled(this.words.source, label, source.querySelector("summary span").textContent);
      const mark = { class: "mark", type: "button", "aria-label": name, onclick: () => this.reveal(source) };
      return el("button", mark, label);
    });
  }

  reveal(source) {
    source.open = true;
    source.querySelector("summary").focus({ preventScroll: true });
    source.scrollIntoView({ block: "nearest" });
  }

  choices(choices) {
    this.labels = new Map(choices.map(({ label, value }) => [value, label]));
    const press = ({ label, value }) => el("button", { type: "button", onclick: () => this.say(value) }, label);
    return el("div", { class: "choices" }, ...choices.map(press));
  }

  /** A question that was answered in words needs no buttons any more. */
  unchoose() {
    for (const old of this.log.querySelectorAll(".choices")) old.remove();
    this.labels.clear();
  }

  time(at) {
    const when = new Date(at);
    if (when - this.said > PAUSE) {
      const today = when.toDateString() === new Date().toDateString();
      const clock = { hour: "2-digit", minute: "2-digit" };
      const shown = when.toLocaleString(this.language, today ? clock : { month: "short", day: "numeric", ...clock });
      this.log.append(el("time", { datetime: at }, shown));
    }
    this.said = Math.max(this.said, when);
  }
}

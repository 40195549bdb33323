/* The launcher in the corner and the panel that it opens: a dialog beside the page, or, on a phone, in its place. */

const PHONE = "(max-width: 480px), (max-height: 420px)";
const LOST_AFTER = 2; // failures before the visitor is told

class Panel {
  constructor({ host, root, words, options, messages, opened }) {
    Object.assign(this, { host, words, messages, opened });
    this.unread = 0;
    this.phone = window.matchMedia(PHONE);
    this.status = el("span", { class: "status" }, words.connecting);
    this.notes = el("p", { class: "notice", role: "status", hidden: true });
    this.announcer = el("div", { class: "sr", role: "status", "aria-live": "polite" });
    const box = { rows: "1", enterkeyhint: "send", autocomplete: "off" };
    this.input = el("textarea", { ...box, "aria-label": words.input, placeholder: words.input });
    const send = { class: "send", type: "submit", "aria-label": words.send, disabled: true };
    this.button = el("button", send, icon("send"));
    this.form = el("form", { class: "composer" }, this.input, this.button);
    const close = { class: "close", type: "button", "aria-label": words.close, onclick: () => this.fold() };
    const title = options.title || words.title;
    const names = el("div", {}, el("h2", {}, title), this.status);
    const head = el("header", {}, el("span", { class: "face" }, icon("chat")), names, el("button", close, icon("close")));
    this.node = el(
      "section",
      { class: "panel", role: "dialog", "aria-label": title, tabindex: "-1", hidden: true },
      head,
      el("div", { class: "middle" }, messages.node, messages.newer),
      this.notes,
      this.form,
    );
    this.badge = el("span", { class: "badge", hidden: true });
    const launcher = { class: "launcher", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false" };
    this.launcher = el("button", { ...launcher, onclick: () => this.toggle() }, icon("chat"), icon("down"), this.badge);
    this.name();
    const corner = options.position === "left" ? "corner left" : "corner";
    root.append(el("div", { class: corner }, this.node, this.launcher, this.announcer));
    this.listen();
  }

  listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.input.addEventListener("input", () => this.fit());
    this.input.addEventListener("keydown", (event) => {
      // Enter also ends the composition of Chinese characters; Safari reports that one as 229.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.submit();
    });
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) this.fold();
      if (event.key === "Tab" && this.phone.matches) this.trap(event);
    });
    // The page sees our keys as keys on a plain element: its shortcuts must not act on what is typed here.
    for (const name of ["keydown", "keyup", "keypress"]) {
      this.host.addEventListener(name, (event) => event.stopPropagation());
    }
    for (const change of ["resize", "scroll"]) {
      if (window.visualViewport) visualViewport.addEventListener(change, () => this.measure());
    }
    this.phone.addEventListener("change", () => this.isOpen && this.place());
  }

  get isOpen() {
    return !this.node.hidden;
  }

  toggle() {
    if (this.isOpen) this.fold();
    else this.unfold();
  }

  unfold() {
    if (this.isOpen) return;
    this.node.hidden = false;
    this.launcher.setAttribute("aria-expanded", "true");
    this.unread = 0;
    this.name();
    this.place();
    this.opened();
    this.messages.toEnd();
    (this.phone.matches ? this.node : this.input).focus({ preventScroll: true });
  }

  fold() {
    if (!this.isOpen) return;
    this.node.hidden = true;
    this.launcher.setAttribute("aria-expanded", "false");
    this.name();
    this.place();
    this.launcher.focus({ preventScroll: true });
  }

  /** On a phone the panel takes the page's place: it is modal there, and the page behind does not scroll. */
  place() {
    const modal = this.isOpen && this.phone.matches;
    this.node.setAttribute("aria-modal", String(modal));
    document.documentElement.style.overflow = modal ? "hidden" : "";
    this.measure();
  }

  /** A phone's keyboard covers the page without resizing it; two fingers enlarge it, and the panel with it. */
  measure() {
    const view = window.visualViewport;
    if (!view || !this.isOpen) return;
    const stay = this.messages.near();
    this.host.style.setProperty("--height", `${Math.round(view.height * view.scale)}px`);
    this.host.style.setProperty("--top", view.scale > 1 ? "0" : `${view.offsetTop}px`);
    if (stay) this.messages.toEnd();
  }

  trap(event) {
    const all = [...this.node.querySelectorAll("button, a[href], summary, textarea")];
    const stops = all.filter((stop) => !stop.disabled && stop.getClientRects().length);
    const [first, last] = [stops[0], stops[stops.length - 1]];
    const { activeElement } = this.node.getRootNode();
    if (event.shiftKey && (activeElement === first || activeElement === this.node)) {
      event.preventDefault();
      last.focus();
    } else if (!event.shiftKey && activeElement === last) {
      event.preventDefault();
      first.focus();
    }
  }

  fit() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 140)}px`;
    this.button.disabled = !this.input.value.trim();
  }

  submit() {
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.fit();
    this.messages.say(text);
    this.input.focus({ preventScroll: true });
  }

  name() {
    const { words } = this;
    const name = this.isOpen ? words.close : this.unread ? filled(words.openUnread, this.unread) : words.open;
    this.launcher.setAttribute("aria-label", name);
    this.badge.textContent = this.unread > 9 ? "9+" : String(this.unread);
    this.badge.hidden = !this.unread;
  }

  state(state, failures) {
    const shown = state === "online" || state === "ended" ? state : "connecting";
    this.status.textContent = this.words[shown];
    this.status.classList.toggle("online", state === "online");
    if (state === "online") this.notice("");
    else if (!navigator.onLine) this.notice(this.words.offline);
    else if (failures >= LOST_AFTER) this.notice(this.words.retrying);
  }

  /** A line above the text box, for a while or until the next. */
  notice(text, pause) {
    clearTimeout(this.timer);
    this.notes.textContent = text;
    this.notes.hidden = !text;
    if (text && pause) this.timer = setTimeout(() => this.notice(""), pause);
  }

  /** A finished answer that is news: read out, and counted where the panel is closed. */
  announce(text) {
    this.announcer.textContent = `${this.words.agent}: ${plain(text)}`;
    if (this.isOpen) return;
    this.unread += 1;
    this.name();
  }
}

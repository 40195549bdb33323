/* What was said, and what is still to be sent. Numbers of stored events decide what is new; ids, what was accepted. */

const AGAIN_AFTER = 5000;
const STALE_WAIT = 60000; // an answer that takes longer may never come: people may have taken over

class Conversation {
  constructor(base, store, view) {
    this.store = store;
    this.view = view;
    this.identify = null;
    this.transport = new Transport(base, {
      hello: () => this.hello(),
      event: (event, answered) => this.heard(event, answered),
      state: (state, failures) => view.state(state, failures),
    });
    this.clear();
    this.outbox = (store.read().outbox || []).slice();
    for (const { id, text } of this.outbox) view.asked(id, text);
  }

  clear() {
    this.last = 0;
    this.name = "";
    this.token = "";
    this.outbox = [];
    this.growing = new Map();
    this.answered = new Set();
    this.asked = new Set();
  }

  start() {
    this.transport.start();
  }

  /** Somebody else from now on: the person whose JWT this is (or whose function gets one), or nobody in particular. */
  become(identify) {
    const running = this.transport.running;
    this.transport.stop();
    this.clear();
    this.view.clear();
    this.identify = identify;
    if (!identify) {
      this.outbox = (this.store.read().outbox || []).slice();
      for (const { id, text } of this.outbox) this.view.asked(id, text);
    }
    if (running) this.start();
  }

  async hello() {
    const identity = await (typeof this.identify === "function" ? this.identify() : this.identify);
    if (!this.identify) this.token = this.token || this.store.read().token || "";
    return { type: "hello", visitor: identity ? "" : this.token, identity: identity || "", last_event: this.last };
  }

  say(text) {
    const message = { id: fresh(), text };
    this.outbox.push(message);
    this.keep();
    this.view.asked(message.id, text);
    this.send(message);
  }

  send({ id, text }) {
    this.asked.add(id);
    this.transport.send({ type: "message", id, text });
  }

  /** Only what somebody anonymous said outlives the page: a person's words stay in no browser that others use. */
  keep() {
    if (!this.identify) this.store.write({ token: this.token, outbox: this.outbox });
  }

  /** `answered`: the event is the answer to a POST, so earlier ones may still be on their way. */
  heard(event, answered) {
    const fresh = !event.event || event.event > this.last;
    if (event.event && fresh && !answered) this.last = event.event;
    if (event.type === "welcome") this.welcomed(event);
    else if (event.type === "accepted") this.accepted(event, fresh);
    else if (event.type === "delta") this.grew(event);
    else if (event.type === "reply" && fresh) this.replied(event);
    else if (event.type === "error") this.failed(event);
  }

  welcomed({ visitor, conversation }) {
    if (this.name && this.name !== conversation) {
      this.last = 0;
      this.view.clear();
      for (const { id, text } of this.outbox) this.view.asked(id, text);
    }
    this.name = conversation;
    this.token = visitor;
    this.since = Date.now();
    this.keep();
    this.outbox.forEach((message) => this.send(message));
  }

  accepted({ id, text, at }, fresh) {
    this.outbox = this.outbox.filter((message) => message.id !== id);
    this.keep();
    const waits = Date.now() - Date.parse(at) < STALE_WAIT;
    this.view.accepted(id, text, at, fresh && waits);
  }

  grew({ turn, text, anew }) {
    if (this.answered.has(turn)) return;
    const whole = (anew ? "" : this.growing.get(turn) || "") + text;
    this.growing.set(turn, whole);
    this.view.grew(turn, whole);
  }

  replied(event) {
    this.growing.delete(event.turn);
    this.answered.add(event.turn);
    const news = this.asked.has(event.reply_to) || Date.now() - this.since > 2000;
    this.view.replied(event, news);
  }

  failed({ code, id, seconds, message }) {
    if (code === "rate_limited" || code === "not_stored") {
      const pause = seconds ? seconds * 1000 : AGAIN_AFTER;
      this.view.notice(code === "rate_limited" ? "tooFast" : "notStored", pause, seconds);
      setTimeout(() => this.again(id), pause);
    } else if (code === "too_large" || code === "unreadable") {
      this.outbox = this.outbox.filter((kept) => kept.id !== id);
      this.keep();
      this.view.refused(id, code === "too_large" ? "tooLarge" : "unreadable");
    } else if (code === "identity_refused" || code === "identity_expired") {
      // The link ends; the next hello brings a new JWT where the page has a function that gets one.
      if (typeof this.identify !== "function") this.end();
      if (code === "identity_refused" || !this.transport.running) this.view.notice("signIn");
    } else if (code === "crowded") {
      this.view.notice("crowded", AGAIN_AFTER);
    } else if (code === "unknown_visitor") {
      this.transport.wake();
    } else {
      console.warn(`agent hub: ${message}`);
    }
  }

  end() {
    this.transport.stop();
    this.view.state("ended");
  }

  again(id) {
    const message = this.outbox.find((kept) => kept.id === id);
    if (message) this.send(message);
  }
}

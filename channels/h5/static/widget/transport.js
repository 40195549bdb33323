/* The way to the hub and back: a WebSocket, or fetch and server-sent events where something in between breaks those.
   A link is one connection; it calls `event` for each event and `end` once. The transport opens them, again and again,
   with pauses that double and are cut at random, and at once when the network or the page comes back. */

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;
const WELCOME_WITHIN = 10000;
const PONG_WITHIN = 5000;
const BEAT = 25000;
const SILENCE = 40000; // the hub shows signs of life every 15 s
const TRIES = 2; // failures after which the other way is tried too

class SocketLink {
  constructor(base, hello, on) {
    const url = new URL("ws", base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(url.href);
    this.watch = setTimeout(() => this.close(), WELCOME_WITHIN);
    this.socket.onopen = () => this.send(hello);
    this.socket.onclose = () => {
      clearTimeout(this.watch);
      on.end();
    };
    this.socket.onmessage = ({ data }) => {
      this.quiet();
      on.event(JSON.parse(data), false);
    };
  }

  /** Asks for a sign of life now and then; without an answer the connection is dead, whatever the browser thinks. */
  quiet() {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => this.probe(), BEAT);
  }

  probe() {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => this.close(), PONG_WITHIN);
    this.send({ type: "ping" });
  }

  send(said) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(said));
  }

  close() {
    clearTimeout(this.watch);
    const { onclose } = this.socket;
    this.socket.onclose = this.socket.onmessage = null;
    this.socket.close();
    if (onclose) onclose();
  }
}

class StreamLink {
  constructor(base, hello, on) {
    this.base = base;
    this.on = on;
    this.aborter = new AbortController();
    this.token = hello.visitor;
    this.run(hello)
      .catch(() => {})
      .then(() => {
        clearTimeout(this.watch);
        on.end();
      });
  }

  async run(hello) {
    const welcome = await this.post(hello);
    if (welcome.type === "welcome") this.token = welcome.visitor;
    this.on.event(welcome, true);
    if (welcome.type !== "welcome") return;
    const { signal } = this.aborter;
    const headers = { Authorization: `Bearer ${this.token}`, "Last-Event-ID": String(hello.last_event) };
    const response = await fetch(new URL("events", this.base), { headers, signal, cache: "no-store" });
    if (!response.ok) this.on.event(await response.json(), true);
    else await this.read(response.body.getReader());
  }

  async read(reader) {
    const decoder = new TextDecoder();
    let buffer = "";
    for (;;) {
      clearTimeout(this.watch);
      this.watch = setTimeout(() => this.close(), SILENCE);
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (buffer + decoder.decode(value, { stream: true })).split("\n\n");
      buffer = blocks.pop();
      for (const block of blocks) {
        const data = block.split("\n").filter((line) => line.startsWith("data:"));
        if (data.length) this.on.event(JSON.parse(data.map((line) => line.slice(5)).join("\n")), false);
      }
    }
  }

  async post(said) {
    const headers = { "Content-Type": "application/json" };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    const request = { method: "POST", headers, body: JSON.stringify(said), signal: this.aborter.signal };
    return (await fetch(new URL("messages", this.base), request)).json();
  }

  send(said) {
    this.post(said).then((event) => this.on.event(event, true), () => this.close());
  }

  probe() {}

  close() {
    this.aborter.abort();
  }
}

class Transport {
  /** `on.hello()` gives the first words, maybe later; `on.event(event, answered)`; `on.state(state, failures)`. */
  constructor(base, on) {
    this.base = base;
    this.on = on;
    this.running = this.ready = this.plain = false;
    this.failures = 0;
    for (const [target, name] of [[window, "online"], [window, "pageshow"], [document, "visibilitychange"]]) {
      target.addEventListener(name, () => document.visibilityState === "visible" && this.wake());
    }
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.failures = 0;
    this.connect();
  }

  stop() {
    this.running = this.ready = false;
    clearTimeout(this.timer);
    const { link } = this;
    this.link = null;
    if (link) link.close();
  }

  /** The network may be back: no reason to wait any longer. */
  wake() {
    if (this.ready) this.link.probe();
    else if (this.running && !this.link) this.connect();
  }

  send(said) {
    if (this.ready) this.link.send(said);
  }

  async connect() {
    clearTimeout(this.timer);
    const attempt = (this.attempt = {});
    this.link = attempt;
    this.on.state("connecting");
    const hello = await Promise.resolve(this.on.hello()).catch(() => null);
    if (this.link !== attempt) return;
    const other = this.failures >= TRIES && this.failures % 2 === 0;
    const socket = "WebSocket" in window && this.plain === other;
    const mine = {
      event: (event, answered) => this.link === link && this.heard(event, answered, socket),
      end: () => this.link === link && this.lost(),
    };
    let link = null;
    try {
      this.link = link = hello && new (socket ? SocketLink : StreamLink)(this.base, hello, mine);
    } catch {
      this.link = null;
    }
    if (!this.link) this.lost();
  }

  heard(event, answered, socket) {
    if (event.type === "welcome") {
      this.ready = true;
      this.failures = 0;
      this.plain = !socket;
      this.on.state("online");
    }
    this.on.event(event, answered);
  }

  lost() {
    this.ready = false;
    this.link = null;
    if (!this.running) return;
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.failures) * (0.5 + Math.random() / 2);
    this.failures += 1;
    this.on.state("lost", this.failures);
    this.timer = setTimeout(() => this.connect(), pause);
  }
}

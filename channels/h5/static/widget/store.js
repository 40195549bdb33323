/* What a browser keeps between two visits: the visitor's token, and messages that did not get through yet.
   Nothing is written before the visitor opens the chat. A browser that forbids storage (it throws) gets memory. */

class Store {
  constructor(key) {
    this.key = key;
    this.memory = {};
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) || this.memory;
    } catch {
      return this.memory;
    }
  }

  write(change) {
    this.memory = { ...this.read(), ...change };
    try {
      localStorage.setItem(this.key, JSON.stringify(this.memory));
    } catch {
      /* it stays in memory */
    }
  }
}

/** A name that nothing else has: 128 bits at random. */
const fresh = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

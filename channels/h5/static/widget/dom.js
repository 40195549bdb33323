/* Elements from values. Nothing here turns text into markup: a page may forbid inline styles and scripts. */

/** An element; properties that begin with "on" are listeners, the others attributes. */
const el = (name, properties = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
};

const ICONS = {
  chat:
    "M12 3c5 0 9 3.4 9 7.7s-4 7.7-9 7.7c-1 0-2-.1-2.9-.4l-4.5 2.5c-.4.2-.8-.2-.7-.6l.8-3.5C3.6 14.9 3 12.9 3 10.7 " +
    "3 6.4 7 3 12 3Z M8.3 10.8h.01 M12 10.8h.01 M15.7 10.8h.01",
  down: "m6 9.5 6 6 6-6",
  close: "m6.5 6.5 11 11 M17.5 6.5l-11 11",
  send: "M12 19V5.5 M5.8 11.5 12 5.3l6.2 6.2",
  arrow: "m9.5 6 6 6-6 6",
  out: "M14 5h5v5 M19 5l-8.5 8.5 M11 6.5H6.5A1.5 1.5 0 0 0 5 8v9.5A1.5 1.5 0 0 0 6.5 19H16a1.5 1.5 0 0 0 1.5-1.5V13",
};

const icon = (name) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
};

const KEPT = new Set("A BLOCKQUOTE BR CODE DEL EM HR LI OL P PRE S STRONG TABLE TBODY TD TH THEAD TR UL".split(" "));
const DROPPED = new Set(["SCRIPT", "STYLE", "TEMPLATE", "NOSCRIPT", "IFRAME", "OBJECT", "SVG", "MATH"]);

/** An http(s) or relative address, resolved against the hub; "" for anything else. */
const address = (given, base) => {
  try {
    const url = new URL(given, base);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) && given ? url.href : "";
  } catch {
    return "";
  }
};

const linked = (node, href) => {
  node.setAttribute("href", href);
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener nofollow noreferrer");
  return node;
};

let policy;
/** Parses in a document that loads nothing and runs nothing; null where the host's Trusted Types forbid even that. */
const parsed = (html) => {
  try {
    if (window.trustedTypes && !policy) policy = trustedTypes.createPolicy("agent-hub", { createHTML: (text) => text });
    return new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html").body;
  } catch {
    return null;
  }
};

/** Copies what is allowed of a parsed answer, element by element: a second fence behind the hub's own. */
const copied = (from, to, mark) => {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(...mark(node.data, to));
    if (node.nodeType !== Node.ELEMENT_NODE || DROPPED.has(node.tagName.toUpperCase())) continue;
    const heading = /^H[1-6]$/.test(node.tagName);
    if (!heading && !KEPT.has(node.tagName)) {
      copied(node, to, mark);
      continue;
    }
    const made = document.createElement(heading ? "h3" : node.tagName.toLowerCase());
    const href = node.tagName === "A" ? address(node.getAttribute("href") || "") : "";
    if (href) linked(made, href);
    if (node.tagName === "OL" && node.start !== 1) made.start = node.start;
    copied(node, made, mark);
    to.append(node.tagName === "TABLE" ? el("div", { class: "table" }, made) : made);
  }
  return to;
};

/** A sheet that no content security policy has to allow; a style element where the browser has no such sheets. */
const styled = (root, text, nonce) => {
  if ("adoptedStyleSheets" in root && "replaceSync" in CSSStyleSheet.prototype) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    root.adoptedStyleSheets = [sheet];
  } else {
    root.append(el("style", { nonce }, text));
  }
};

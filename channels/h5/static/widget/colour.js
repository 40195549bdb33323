/* One colour of the host's, and from it all that must be readable on it and in it (WCAG AA: 4.5 to 1). */

const WHITE = [255, 255, 255];
const INK = [18, 26, 24];

/** Red, green and blue of a CSS colour, as the browser computes it for a child of `root`; null for what has none. */
const channels = (colour, root) => {
  const probe = root.appendChild(el("i"));
  probe.style.color = "transparent";
  probe.style.color = colour;
  const found = getComputedStyle(probe).color.match(/^rgb\((\d+), (\d+), (\d+)\)$/);
  probe.remove();
  return found && found.slice(1).map(Number);
};

const luminance = (rgb) => {
  const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

const contrast = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};

const blended = (from, to, share) => from.map((v, at) => Math.round(v + (to[at] - v) * share));
const written = (rgb) => `rgb(${rgb.join(" ")})`;

/** The colour, moved towards `end` until it can be read on `paper`. */
const readable = (rgb, paper, end) => {
  for (let share = 0; share <= 1; share += 0.05) {
    const tried = blended(rgb, end, share);
    if (contrast(tried, paper) >= 4.5) return tried;
  }
  return end;
};

/** The variables of the style sheet that depend on the accent. */
const palette = (colour, root) => {
  const accent = channels(colour, root);
  if (!accent) return "";
  const on = contrast(accent, WHITE) >= 4.5 ? WHITE : contrast(accent, INK) >= 4.5 ? INK : WHITE;
  const filled = readable(accent, on, on === WHITE ? [0, 0, 0] : WHITE);
  const light = written(readable(accent, [244, 247, 246], [0, 0, 0]));
  const dark = written(readable(accent, [30, 39, 37], WHITE));
  return `:host { --accent: ${written(filled)}; --on: ${written(on)}; --link: ${light}; }
@media (prefers-color-scheme: dark) { :host { --link: ${dark}; } }`;
};

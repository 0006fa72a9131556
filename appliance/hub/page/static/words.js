// Words and numbers as people read them: a missing value is "–", ages are short, times are in the viewer's zone.
export const DASH = "–";
const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

export function age(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 1) return "now";
  const [size, unit] = units.find(([size]) => s >= size);
  return `${Math.floor(s / size)} ${unit}`;
}

export function clockTime(unixS) {
  const date = new Date(unixS * 1000);
  const today = new Date().toDateString() === date.toDateString();
  return date.toLocaleString([], today
    ? { hour: "2-digit", minute: "2-digit" }
    : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

export function number(value, digits = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return DASH;
  return value.toLocaleString([], { maximumFractionDigits: digits });
}

export const ms = (value) => number(value, value !== null && Math.abs(value) < 10 ? 1 : 0);

const said = {
  idle: "listening", listening: "hears you", thinking: "thinking", replying: "speaking", starting: "starting", muted: "muted",
  updating: "updating", error: "error", not_ready: "not ready", timer_ringing: "timer rings", timer_running: "timer runs",
  button: "button", volume: "volume",
};

/** One word for what a device does. "listening" is said only where the ear proves it. */
export function stateWord(card) {
  if (card.silent) return "silent";
  if (!card.online) return "offline";
  if (card.hearing === null) return "unknown";
  if (card.hearing === "deaf") return "deaf";
  if (card.hearing === "muted") return "muted";
  return said[card.state] ?? card.state ?? DASH;
}

/** "response_ms" → "response", "memory_peak_mb" → "memory peak". */
export const measureWord = (name) => name.replace(/_(ms|mb|s|c|ratio|share|per_hour)$/g, "").replaceAll("_", " ");

export function el(tag, props = {}, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Writes text only where it differs, so that a selection over it survives. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

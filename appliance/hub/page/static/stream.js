// The live stream: one EventSource a tab. In: snapshots and numbered changes. Out: `devices`, `hub`, and listeners called with what changed.
export const devices = new Map();
export const hub = {};
const listeners = new Set();
const DEAD_MS = 12000; // two heartbeats of 5 s and some patience
let source = null;
let lastWord = performance.now();
let skew = 0; // seconds the hub's clock is ahead of this machine's
export const link = { up: false, since: Date.now() };

export const nowS = () => Date.now() / 1000 + skew;

/** `listener(ids, why)`: why is "snapshot", "change", "hub" or "link"; ids the devices it is about. */
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(ids, why) {
  for (const listener of listeners) listener(ids, why);
}

function heard() {
  lastWord = performance.now();
  if (!link.up) setLink(true);
}

function setLink(up) {
  if (link.up === up) return;
  link.up = up;
  link.since = Date.now();
  tell([], "link");
}

function clock(now) {
  if (typeof now === "number") skew = now - Date.now() / 1000;
}

/** The hub's view of a device as the cards need it. */
function card(view) {
  const first = view.troubles[0] ?? null;
  return {
    ...view, room: view.area, silent: view.condition === "silent", silent_since: view.silent_since_s, online: view.condition !== "offline",
    heard: view.heard_s, response_p50: view.response_ms, response_p95: view.response_p95_ms, spark: view.spark.map((dot) => (dot.failed ? null : dot.response_ms)),
    alerts: view.lights.filter((light) => light.verdict !== "met"), advice: first, score: first ? 4 - Number(first.severity[1]) : 0,
  };
}

function take(body, whole) {
  if (whole) devices.clear();
  for (const view of body.devices) devices.set(view.id, card(view));
  for (const id of body.removed ?? []) devices.delete(id);
  heard();
  tell(whole ? [...devices.keys()] : [...body.devices.map((view) => view.id), ...(body.removed ?? [])], whole ? "snapshot" : "change");
}

export function connect() {
  source?.close();
  source = new EventSource("/events");
  source.addEventListener("snapshot", (event) => take(JSON.parse(event.data), true));
  source.addEventListener("change", (event) => take(JSON.parse(event.data), false));
  source.addEventListener("hub", (event) => {
    Object.assign(hub, JSON.parse(event.data));
    clock(hub.at);
    heard();
    tell([], "hub");
  });
  source.onerror = () => {
    setLink(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000); // refused: the browser does not try again by itself
  };
}

// A stream can die without a word (a sleeping laptop, a proxy): silence is a broken link.
setInterval(() => {
  if (performance.now() - lastWord > DEAD_MS && link.up) setLink(false);
  if (performance.now() - lastWord > 2 * DEAD_MS) {
    lastWord = performance.now();
    connect();
  }
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && performance.now() - lastWord > DEAD_MS) connect();
});

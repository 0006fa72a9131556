// The live stream: one EventSource a tab. In: snapshots and numbered changes. Out: `devices`, `hub`, and listeners called with what changed.
export const devices = new Map();
export const hub = {};
const listeners = new Set();
const DEAD_MS = 12000; // two heartbeats of 5 s and some patience
let source = null;
let seq = 0;
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

export function connect() {
  source?.close();
  source = new EventSource("/events");
  source.addEventListener("snapshot", (event) => {
    const body = JSON.parse(event.data);
    seq = body.seq;
    devices.clear();
    for (const card of body.devices) devices.set(card.id, card);
    Object.assign(hub, body.hub);
    clock(body.hub?.now);
    heard();
    tell([...devices.keys()], "snapshot");
  });
  source.addEventListener("change", (event) => {
    const body = JSON.parse(event.data);
    heard();
    if (body.seq <= seq) return; // a repeat after a resume
    seq = body.seq;
    const ids = [];
    for (const part of body.devices ?? []) {
      devices.set(part.id, Object.assign(devices.get(part.id) ?? {}, part));
      ids.push(part.id);
    }
    for (const id of body.gone ?? []) {
      devices.delete(id);
      ids.push(id);
    }
    if (body.hub) {
      Object.assign(hub, body.hub);
      clock(body.hub.now);
    }
    tell(ids, ids.length ? "change" : "hub");
  });
  source.addEventListener("beat", (event) => {
    clock(JSON.parse(event.data).now);
    heard();
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

// The page: one stream, four views, the URL as the only state of what is shown.
import { auditView } from "./audit.js";
import { deviceView } from "./device.js";
import { fleetView } from "./fleet.js";
import { healthView } from "./health.js";
import * as ring from "./ring.js";
import { connect, devices, hub, link, listen } from "./stream.js";
import { clockTime, number, put } from "./words.js";

const root = document.getElementById("view");
const banner = document.getElementById("banner");
let end = () => {};

function go(href) {
  history.pushState(null, "", href);
  show();
  root.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function show() {
  const url = new URL(location.href);
  const device = url.searchParams.get("device");
  const view = device ? "device" : url.searchParams.get("view") ?? "fleet";
  end();
  for (const tab of document.querySelectorAll("nav a")) {
    if (tab.dataset.view === view) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
  }
  end = device ? deviceView(root, device) : ({ health: healthView, audit: auditView }[view] ?? fleetView)(root, go);
}

function drawLink() {
  const bar = document.getElementById("link");
  const trouble = !link.up ? `No word from the hub since ${clockTime(link.since / 1000)}. What is shown is old; trying again.`
    : hub.broker && !hub.broker.connected ? `The broker is away since ${clockTime(hub.broker.since)}${hub.broker.trouble ? `: ${hub.broker.trouble}` : "."} Devices are shown as they were.`
      : hub.history?.sentence || null;
  const stale = !link.up || (hub.broker && !hub.broker.connected);
  bar.className = `link ${stale ? "down" : "up"}`;
  put(document.getElementById("link-text"), stale ? "not live" : `live · ${number(devices.size)} devices`);
  banner.hidden = !trouble;
  put(banner, trouble ?? "");
}

document.addEventListener("click", (event) => {
  const a = event.target.closest("a[data-link]");
  if (!a || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(a.href);
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, textarea, select")) return;
  if (event.key === "?") document.getElementById("keys").showModal();
  if (event.key === "Escape" && new URL(location.href).search) go("/");
});
document.getElementById("keys-open").addEventListener("click", () => document.getElementById("keys").showModal());
addEventListener("popstate", show);
listen(drawLink);
setInterval(drawLink, 5000);
show();
ring.load();
connect();

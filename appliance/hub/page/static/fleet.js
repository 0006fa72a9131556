// All devices as cards, worst first. Order waits while the pointer or the focus is on the list; cards beyond the first screens are made as one scrolls.
import { drawAge, makeCard, updateCard } from "./cards.js";
import { actionBar } from "./commands.js";
import * as ring from "./ring.js";
import { devices, listen } from "./stream.js";
import { el, ms, number, put } from "./words.js";

const AT_ONCE = 120; // cards made in one frame
const WITHOUT_SCROLLING = 1500; // more than these are made when one scrolls near them
const ORDER_MS = 1000;

export function fleetView(root, go) {
  const url = new URL(location.href);
  const wish = { text: url.searchParams.get("q") ?? "", sort: url.searchParams.get("sort") ?? "worst", rooms: url.searchParams.get("rooms") === "1", sick: url.searchParams.get("sick") === "1" };
  const nodes = new Map();
  const strip = el("p", { className: "strip" });
  const search = el("input", { type: "search", placeholder: "Search name, room, version, state", value: wish.text });
  search.setAttribute("aria-label", "Search devices");
  const sort = el("select", {}, ...[["worst", "Worst first"], ["name", "Name"], ["slow", "Slowest"], ["heard", "Last heard"]].map(([value, text]) => el("option", { value, textContent: text, selected: value === wish.sort })));
  sort.setAttribute("aria-label", "Order");
  const rooms = el("button", { type: "button", textContent: "By room" });
  const sick = el("button", { type: "button", textContent: "Only those that need help" });
  const list = el("div", { className: "cards" });
  const end = el("div", { className: "end" });
  const empty = el("p", { className: "empty", hidden: true });
  const picked = new Set();
  const bar = actionBar(picked, () => { for (const box of list.querySelectorAll(".pick input")) box.checked = false; list.classList.remove("picking"); });
  root.replaceChildren(strip, el("div", { className: "tools" }, search, sort, rooms, sick), list, empty, end, bar.node);

  let order = [];
  let shown = 0;
  let due = 0;
  let dirty = true;

  const matches = (card) => {
    if (wish.sick && !(card.score > 0)) return false;
    const text = `${card.name} ${card.id} ${card.room ?? ""} ${card.version ?? ""} ${card.board ?? ""} ${card.state} ${card.hearing}`.toLowerCase();
    return wish.text.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  };
  const keys = {
    worst: (a, b) => (b.score ?? 0) - (a.score ?? 0) || byName(a, b),
    name: byName,
    slow: (a, b) => (b.response_p50 ?? -1) - (a.response_p50 ?? -1) || byName(a, b),
    heard: (a, b) => (a.heard ?? 0) - (b.heard ?? 0) || byName(a, b),
  };
  function byName(a, b) { return (a.name ?? a.id) < (b.name ?? b.id) ? -1 : 1; }

  function keep() {
    const here = new URL(location.href);
    for (const [name, value] of [["q", wish.text], ["sort", wish.sort === "worst" ? "" : wish.sort], ["rooms", wish.rooms ? "1" : ""], ["sick", wish.sick ? "1" : ""]]) {
      if (value) here.searchParams.set(name, value); else here.searchParams.delete(name);
    }
    history.replaceState(null, "", here);
    rooms.setAttribute("aria-pressed", String(wish.rooms));
    sick.setAttribute("aria-pressed", String(wish.sick));
  }

  const held = () => list.matches(":hover") || list.contains(document.activeElement);

  function reorder(force = false) {
    if (!force && held()) { dirty = true; return; }
    dirty = false;
    const found = [...devices.values()].filter(matches).sort(keys[wish.sort]);
    if (wish.rooms) found.sort((a, b) => ((a.room ?? "~") < (b.room ?? "~") ? -1 : (a.room ?? "~") > (b.room ?? "~") ? 1 : 0));
    order = found.map((card) => card.id);
    const most = Math.max(shown, Math.min(order.length, AT_ONCE));
    lay(0, Math.min(most, order.length), true);
    schedule();
    empty.hidden = order.length > 0;
    if (!order.length) emptyWords();
  }

  function emptyWords() {
    if (devices.size) empty.replaceChildren("No device matches. ", el("button", { type: "button", textContent: "Show all", onclick: () => { wish.text = search.value = ""; wish.sick = false; keep(); reorder(true); } }));
    else empty.replaceChildren("No device yet. Run ", el("code", { textContent: "appliance setup" }), " on a Pi, or try ", el("code", { textContent: "appliance hub simulate --devices 50" }), ".");
  }

  /** Puts the cards from..to in their order; moves only those that stand elsewhere. */
  function lay(from, to, fresh) {
    if (fresh) {
      const wanted = new Set(order.slice(0, to));
      for (const [id, node] of nodes) if (!wanted.has(id)) { ring.forget(node.parts.ring); node.remove(); nodes.delete(id); }
      for (const heading of list.querySelectorAll(".group")) heading.remove();
    }
    let before = fresh ? list.firstElementChild : null;
    let room = fresh || !from ? undefined : devices.get(order[from - 1])?.room;
    for (const id of order.slice(from, to)) {
      const card = devices.get(id);
      if (wish.rooms && card.room !== room) {
        room = card.room;
        list.insertBefore(el("h2", { className: "group", textContent: room ?? "No room" }), before);
      }
      let node = nodes.get(id);
      if (!node) nodes.set(id, node = makeCard(card));
      if (node === before) before = before.nextElementSibling;
      else list.insertBefore(node, before);
    }
    shown = to;
  }

  let making = false;
  function schedule() {
    if (making || shown >= Math.min(order.length, WITHOUT_SCROLLING)) return;
    making = true;
    requestAnimationFrame(() => { making = false; more(); schedule(); });
  }
  function more() { if (shown < order.length) lay(shown, Math.min(order.length, shown + AT_ONCE), false); }
  const near = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) more(); }, { rootMargin: "1200px" });
  near.observe(end);

  function median() {
    const times = [...devices.values()].map((card) => card.response_p50).filter((value) => value !== null).sort((a, b) => a - b);
    return times.length ? times[times.length >> 1] : null;
  }

  function drawStrip() {
    const ill = [...devices.values()].filter((card) => card.score > 0 && (card.advice || card.silent)).length;
    strip.classList.toggle("sick", ill > 0);
    const rooms = `${number(devices.size)} ${devices.size === 1 ? "device" : "devices"}`;
    strip.replaceChildren(`${rooms}, `, el("b", { textContent: ill ? `${ill} ${ill === 1 ? "needs" : "need"} help` : devices.size ? "all well" : "waiting" }), median() === null ? "" : `, median answer ${ms(median())} ms`);
  }

  const stop = listen((ids, why) => {
    if (why === "hub" || why === "link") { drawStrip(); return; }
    if (why === "snapshot") { reorder(true); drawStrip(); for (const id of ids) { const node = nodes.get(id); if (node) updateCard(node, devices.get(id), false); } return; }
    for (const id of ids) {
      const card = devices.get(id), node = nodes.get(id);
      if (card && node) updateCard(node, card);
      else if (!card && node) { picked.delete(id); bar.draw(); ring.forget(node.parts.ring); node.remove(); nodes.delete(id); }
    }
    dirty = true;
    drawStrip();
  });
  const ticking = setInterval(() => {
    for (const [id, node] of nodes) { const card = devices.get(id); if (card && node.parts.ring.inSight) drawAge(node, card); }
    if (dirty && performance.now() > due) { due = performance.now() + ORDER_MS; reorder(); }
  }, 1000);

  search.addEventListener("input", () => { wish.text = search.value; keep(); reorder(true); });
  sort.addEventListener("change", () => { wish.sort = sort.value; keep(); reorder(true); });
  rooms.addEventListener("click", () => { wish.rooms = !wish.rooms; keep(); reorder(true); });
  sick.addEventListener("click", () => { wish.sick = !wish.sick; keep(); reorder(true); });
  list.addEventListener("change", (event) => {
    if (!event.target.matches(".pick input")) return;
    const { device } = event.target.closest(".card").dataset;
    if (event.target.checked) picked.add(device); else picked.delete(device);
    list.classList.toggle("picking", picked.size > 0);
    bar.draw();
  });
  list.addEventListener("click", (event) => {
    if (!event.target.matches(".advice button")) return;
    const id = event.target.closest(".card").dataset.device;
    const remedy = devices.get(id)?.advice?.remedy;
    if (remedy) bar.advise({ id, command: remedy.command, args: remedy.body, label: remedy.label });
  });
  list.addEventListener("pointerleave", () => { if (dirty) reorder(); });

  const walk = (event) => {
    if (event.target.matches("input, select, textarea") && event.key !== "Escape") return;
    if (event.key === "/") { event.preventDefault(); search.focus(); return; }
    const cards = [...list.querySelectorAll(".card")];
    const at = cards.indexOf(document.activeElement?.closest?.(".card"));
    const columns = Math.max(1, getComputedStyle(list).gridTemplateColumns.split(" ").length);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (step && cards.length) { event.preventDefault(); (cards[at < 0 ? 0 : Math.min(cards.length - 1, Math.max(0, at + step))]).focus(); }
    if (at >= 0 && event.key === "Enter" && event.target === cards[at]) go(cards[at].parts.open.href);
    if (event.key === "Escape") { search.blur(); wish.text = search.value = ""; keep(); reorder(true); }
  };
  document.addEventListener("keydown", walk);

  keep();
  if (devices.size) { reorder(true); }
  drawStrip();
  put(empty, devices.size ? "" : "Connecting to the hub …");
  empty.hidden = devices.size > 0;
  return () => { stop(); clearInterval(ticking); near.disconnect(); document.removeEventListener("keydown", walk); for (const node of nodes.values()) ring.forget(node.parts.ring); };
}

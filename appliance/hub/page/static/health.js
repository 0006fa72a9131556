// The fleet as a whole: how fast it answers, which budgets it keeps, who differs from his like.
import { get } from "./api.js";
import { el, measureWord, ms, number, svg } from "./words.js";

const AGAIN_MS = 15000;

export function healthView(root) {
  root.replaceChildren(el("p", { className: "empty", textContent: "Adding up …" }));
  async function draw() {
    let fleet;
    try { fleet = await get("/api/fleet"); } catch (error) { root.replaceChildren(el("p", { className: "empty", textContent: error.message })); return; }
    root.replaceChildren(
      panel("Response times of the last turns", histogram(fleet.response)),
      el("div", { className: "two" },
        panel("Budgets kept this week", fleet.kept.length ? bars(fleet.kept.map((row) => [measureWord(row.name), row.share, `${number(row.share * 100, 1)} %`])) : el("p", { className: "note", textContent: "No minute yet." })),
        panel("Versions", share(fleet.versions))),
      panel("Devices that differ from their like", outliers(fleet.outliers)),
      panel("This hub", el("p", { className: "note", textContent: capacity(fleet.hub) })));
  }
  draw();
  const again = setInterval(() => { if (!document.hidden && !String(getSelection())) draw(); }, AGAIN_MS);
  return () => clearInterval(again);
}

const capacity = (hub) => [`${number(hub.devices)} devices`, `${number(hub.updates_per_s, 1)} messages a second`, `history ${number(hub.history.size_bytes / 1e6, 1)} MB`,
  hub.history.dropped ? `${number(hub.history.dropped)} rows not kept` : null, hub.history.sentence || null].filter(Boolean).join(" · ");
const panel = (title, ...inside) => el("section", { className: "panel" }, el("h3", { textContent: title }), ...inside);

function histogram(data) {
  const total = data.counts.reduce((sum, count) => sum + count, 0);
  if (!total) return el("p", { className: "note", textContent: "No turn yet." });
  const most = Math.max(...data.counts), width = 700 / data.counts.length;
  const picture = svg("svg", { viewBox: "0 0 720 160", class: "histogram", role: "img", "aria-label": `${total} turns by response time; ${data.failed} more without an answer` });
  data.counts.forEach((count, at) => {
    const height = count / most * 120;
    picture.append(svg("rect", { x: 10 + at * width, y: 130 - height, width: Math.max(1, width - 2), height }, svg("title", {}, at === data.counts.length - 1 ? `${ms(data.edges_ms[at])} ms and more: ${count}` : `${ms(data.edges_ms[at])} to ${ms(data.edges_ms[at + 1])} ms: ${count}`)));
    if (at % Math.ceil(data.counts.length / 8) === 0) picture.append(svg("text", { x: 10 + at * width, y: 148 }, `${number(data.edges_ms[at])} ms`));
  });
  return picture;
}

function bars(rows) {
  return el("div", { className: "bars" }, ...rows.map(([name, value, text]) => {
    const meter = el("meter", { min: 0, max: 1, low: 0.95, high: 0.99, optimum: 1, value: value ?? 0 });
    meter.setAttribute("aria-label", `${name} ${text}`);
    return el("div", {}, el("span", { textContent: name }), meter, el("span", { textContent: text }));
  }));
}

function share(counts) {
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const all = rows.reduce((sum, [, count]) => sum + count, 0);
  return el("div", { className: "bars" }, ...rows.map(([name, count]) => {
    const line = el("progress", { max: all, value: count });
    line.setAttribute("aria-label", `${name}: ${count}`);
    return el("div", {}, el("span", { textContent: name }), line, el("span", { textContent: number(count) }));
  }));
}

function outliers(rows) {
  if (!rows.length) return el("p", { className: "note", textContent: "None: every device is like the others of its board." });
  return el("table", {}, el("thead", {}, el("tr", {}, ...["device", "measure", "value", "median", "z", "among"].map((text) => el("th", { textContent: text })))),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, el("td", {}, el("a", { href: `/?device=${encodeURIComponent(row.device)}`, textContent: row.device })), el("td", { textContent: measureWord(row.measure) }), el("td", { textContent: number(row.value, 2) }), el("td", { textContent: number(row.median, 2) }), el("td", { textContent: number(row.z, 1) }), el("td", { textContent: row.kind })))));
}

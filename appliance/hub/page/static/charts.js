// Time series with one cursor over all charts of a page; budget lines are thin and named. uPlot draws, if the hub carries it.
import { get } from "./api.js";
import { el, number } from "./words.js";

const GROUPS = [
  ["Response", "ms", ["response.p50", "response.p95"]], ["CPU", "of a core", ["cpu"]], ["Memory", "MB", ["memory"]],
  ["Temperature", "°C", ["temperature"]], ["Wi-Fi", "dBm", ["wifi"]], ["Memory growth", "MB/h", ["memory_growth_mb_per_hour"]],
];
const RANGES = [["1 h", 3600], ["24 h", 86400], ["7 d", 7 * 86400], ["30 d", 30 * 86400]];
const colours = ["--accent", "--stt", "--tts", "--action"];
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

let library = null;
function uplot() {
  library ??= new Promise((resolve) => {
    const script = el("script", { src: "/vendor/uPlot.iife.min.js" });
    script.onload = () => resolve(window.uPlot);
    script.onerror = () => resolve(null);
    document.head.append(el("link", { rel: "stylesheet", href: "/vendor/uPlot.min.css" }), script);
  });
  return library;
}

/** The charts of one device, in `root`; returns what ends them. */
export function charts(root, id) {
  let plots = [], over = false, seconds = 3600;
  const body = el("div", { className: "two" });
  const buttons = RANGES.map(([text, length]) => el("button", { type: "button", textContent: text, onclick: () => { seconds = length; draw(); } }));
  const note = el("p", { className: "note" });
  note.setAttribute("role", "status");
  root.replaceChildren(el("div", { className: "range" }, ...buttons), note, body);

  async function draw() {
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(RANGES[at][1] === seconds)));
    const to = Math.round(Date.now() / 1000);
    let data, Plot;
    try {
      [data, Plot] = await Promise.all([get(`/api/devices/${encodeURIComponent(id)}/series?names=${GROUPS.flatMap(([, , names]) => names).join()}&from=${to - seconds}&to=${to}&points=400`), uplot()]);
    } catch (error) { note.textContent = error.message; return; }
    if (over) return;
    for (const plot of plots) plot.destroy();
    plots = [];
    note.textContent = Plot ? "" : "The chart library is not with this hub (make hub-assets brings it): newest values are shown instead of curves.";
    body.replaceChildren();
    for (const [title, unit, names] of GROUPS) {
      const there = names.filter((name) => data.series[name]?.some((value) => value !== null));
      const frame = el("div", { className: "chart" }, el("h4", { textContent: `${title}, ${unit}` }));
      body.append(frame);
      if (!there.length) { frame.append(el("p", { className: "note", textContent: "no values in this time" })); continue; }
      if (!Plot) { frame.append(el("p", { textContent: there.map((name) => `${name} ${number(data.series[name].findLast((value) => value !== null), 1)} ${unit}`).join(", ") })); continue; }
      const budget = data.budgets?.[names[0]];
      const lines = budget ? [["target", budget[0]], ["critical", budget[2]]].filter(([, value]) => value !== null) : [];
      plots.push(new Plot({
        width: Math.max(280, frame.clientWidth), height: 120, cursor: { sync: { key: "device" }, y: false }, legend: { live: true },
        scales: { x: { time: true }, y: { range: (_, least, most) => { const edge = (most - least || Math.abs(most) || 1) * 0.1; return [least >= 0 ? Math.max(0, least - edge) : least - edge, most + edge]; } } },
        axes: [{ stroke: style("--soft"), grid: { stroke: style("--edge"), width: 1 } }, { stroke: style("--soft"), size: 48, grid: { stroke: style("--edge"), width: 1 } }],
        series: [{}, ...there.map((name, at) => ({ label: name.replaceAll("_", " "), stroke: style(colours[at]), width: 1.5, spanGaps: false, value: (_, value) => (value === null ? "–" : number(value, 1)) }))],
        hooks: { draw: [(plot) => budgetLines(plot, lines)] },
      }, [data.t, ...there.map((name) => data.series[name])], frame));
    }
  }
  draw();
  return () => { over = true; for (const plot of plots) plot.destroy(); };
}

function budgetLines(plot, lines) {
  const { ctx, bbox } = plot;
  for (const [name, value] of lines) {
    const y = plot.valToPos(value, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = style(name === "critical" ? "--bad" : "--warn");
    ctx.setLineDash([4, 4]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillText(name, bbox.left + 4, y - 4);
    ctx.restore();
  }
}

// One device: what it does now, what is wrong and what to do, its last turns, its history and its time line; actions with the device's own answer.
import { get } from "./api.js";
import { charts } from "./charts.js";
import { controls, send } from "./commands.js";
import * as ring from "./ring.js";
import { devices, listen, nowS } from "./stream.js";
import { legend, turnList } from "./waterfall.js";
import { age, clockTime, el, measureWord, ms, number, put, stateWord } from "./words.js";

const AGAIN_MS = 10000;

export function deviceView(root, id) {
  const canvas = el("canvas", { className: "ring", width: 144, height: 144 });
  canvas.setAttribute("role", "img");
  ring.watch(canvas);
  const name = el("h2"), state = el("p"), facts = el("p", { className: "what" }), answer = el("p", { className: "answer" });
  answer.setAttribute("role", "status");
  const [troubles, measures, turns, timeline, history] = ["troubles", "measures", "turns", "timeline", "history"].map(() => el("section", { className: "panel" }));
  const curves = el("div");
  history.append(el("h3", { textContent: "History" }), curves);
  const head = el("div", { className: "page-head" }, canvas, el("div", {}, name, state, facts));
  head.dataset.device = id;
  root.replaceChildren(head, troubles,
    el("section", { className: "panel" }, el("h3", { textContent: "Actions" }), el("div", { className: "actions" }, ...controls(() => [id], answer), answer)),
    turns, history, el("div", { className: "two" }, measures, timeline));
  let drawn = null;

  function draw() {
    const card = devices.get(id);
    put(name, card?.name ?? id);
    document.title = `${card?.name ?? id} · Voice appliances`;
    if (!card) {
      put(state, "This device is not known to the hub.");
      return;
    }
    const word = stateWord(card);
    put(state, `${word}${card.silent ? ` since ${clockTime(card.silent_since)}` : card.heard === null ? "" : `, heard ${age(nowS() - card.heard)} ago`}`);
    put(facts, [card.room, card.board, card.version, card.volume_percent === null ? null : `volume ${card.volume_percent} %`, `${number(card.turns_today)} turns today`,
      card.memory_mb === null ? null : `memory ${number(card.memory_mb)} MB`, card.cpu_ratio === null ? null : `CPU ${number(card.cpu_ratio * 100, 1)} % of a core`,
      card.temperature_c === null ? null : `${number(card.temperature_c, 1)} °C`, card.wifi_dbm === null ? null : `Wi-Fi ${number(card.wifi_dbm)} dBm`].filter(Boolean).join(" · "));
    ring.show(canvas, card.silent || !card.online ? "off" : card.hearing === "deaf" ? "not_ready" : card.state, word);
    if (drawn === card.number || troubles.contains(document.activeElement)) return;
    drawn = card.number;
    troubles.replaceChildren(el("h3", { textContent: card.troubles.length ? "What needs help" : "All well" }),
      el("ul", { className: "timeline" }, ...card.troubles.map(troubleRow)));
    measures.replaceChildren(el("h3", { textContent: "Budgets" }), measureTable(card.lights));
  }

  function troubleRow(trouble) {
    const { remedy } = trouble;
    return el("li", {}, el("small", { textContent: `since ${clockTime(trouble.since_s)}` }), el("small", { textContent: trouble.severity }),
      el("span", { className: "bad", textContent: `${trouble.sentence}. ${trouble.advice} ` }, remedy ? el("button", { type: "button", textContent: remedy.label, onclick: () => send([id], remedy.command, remedy.body, answer) }) : null));
  }

  async function past() {
    let told;
    try { told = await get(`/api/devices/${encodeURIComponent(id)}/past`); } catch (error) { turns.replaceChildren(el("p", { className: "note", textContent: error.message })); return; }
    turns.replaceChildren(el("h3", { textContent: "Last turns" }), legend(), turnList(told.turns), stageTable(told.stages));
    timeline.replaceChildren(el("h3", { textContent: "Time line" }), told.timeline.length
      ? el("ul", { className: "timeline" }, ...told.timeline.map((item) => el("li", {}, el("small", { textContent: clockTime(item.at) }), el("small", { textContent: item.kind.replaceAll("_", " ") }), el("span", { className: ["P0", "P1"].includes(item.severity) ? "bad" : "", textContent: item.text }))))
      : el("p", { className: "note", textContent: "Nothing happened yet." }), engineTable(told.engines));
  }

  draw();
  past();
  const stop = listen((ids, why) => { if (why === "snapshot" || ids.includes(id)) draw(); });
  const ticking = setInterval(draw, 1000);
  const again = setInterval(() => { if (!document.hidden && !String(getSelection())) past(); }, AGAIN_MS);
  const end = charts(curves, id);
  return () => { stop(); clearInterval(ticking); clearInterval(again); end(); ring.forget(canvas); document.title = "Voice appliances"; };
}

const heads = (texts) => el("thead", {}, el("tr", {}, ...texts.map((text, at) => el("th", { className: at ? "n" : "", textContent: text }))));

function measureTable(lights) {
  if (!lights.length) return el("p", { className: "note", textContent: "No figures yet: they come with the device's next message." });
  return el("table", {}, heads(["measure", "now", "target", ""]),
    el("tbody", {}, ...lights.map((light) => el("tr", {}, el("td", { textContent: measureWord(light.name) }), el("td", { className: light.verdict === "met" ? "n" : "n over", textContent: `${number(light.value, 2)} ${light.unit}` }),
      el("td", { className: "n", textContent: `${number(light.target, 2)} ${light.unit}` }), el("td", { className: light.verdict === "met" ? "kept" : "over", textContent: light.verdict === "met" ? "kept" : light.verdict })))));
}

function stageTable(stages) {
  const rows = Object.entries(stages);
  if (!rows.length) return null;
  return el("table", {}, heads(["stage, ms", "p50", "p95", "p99", "turns"]),
    el("tbody", {}, ...rows.map(([name, row]) => el("tr", {}, el("td", { textContent: measureWord(name) }), ...["p50", "p95", "p99"].map((key) => el("td", { className: "n", textContent: ms(row[key]) })), el("td", { className: "n", textContent: number(row.n) })))));
}

function engineTable(engines) {
  const rows = Object.entries(engines);
  if (!rows.length) return null;
  return el("table", {}, heads(["engine", "state", "restarts"]),
    el("tbody", {}, ...rows.map(([name, row]) => el("tr", {}, el("td", { textContent: name }), el("td", { className: row.ready ? "n kept" : "n over", textContent: row.breaker_open ? "crash loop" : row.ready ? "ready" : "away" }), el("td", { className: "n", textContent: number(row.restarts) })))));
}

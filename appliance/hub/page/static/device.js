// One device: what it does now, every stage against its budget, its last turns, its history and its time line; actions with the device's own answer.
import { get } from "./api.js";
import { charts } from "./charts.js";
import { controls, send } from "./commands.js";
import * as ring from "./ring.js";
import { devices, listen, nowS } from "./stream.js";
import { age, clockTime, DASH, el, measureWord, ms, number, put, stateWord } from "./words.js";
import { legend, turnList } from "./waterfall.js";

const AGAIN_MS = 10000;

export function deviceView(root, id) {
  const canvas = el("canvas", { className: "ring", width: 144, height: 144 });
  canvas.setAttribute("role", "img");
  ring.watch(canvas);
  const name = el("h2"), state = el("p"), facts = el("p", { className: "what" });
  const advice = el("p", { className: "banner", hidden: true });
  const answer = el("p", { className: "answer" });
  answer.setAttribute("role", "status");
  const stages = el("div", { className: "panel" }), turns = el("div", { className: "panel" }), timeline = el("div", { className: "panel" }), history = el("div");
  const actions = el("div", { className: "actions" }, ...controls(() => [id], answer), answer);
  root.replaceChildren(
    el("div", { className: "page-head" }, canvas, el("div", {}, name, state, facts)), advice,
    el("section", { className: "panel" }, el("h3", { textContent: "Actions" }), actions),
    el("div", { className: "two" }, stages, timeline), el("section", { className: "panel" }, el("h3", { textContent: "History" }), history), turns);
  document.title = `${devices.get(id)?.name ?? id} · Voice appliances`;

  function head() {
    const card = devices.get(id);
    put(name, card?.name ?? id);
    if (!card) { put(state, "This device is not known to the hub."); return; }
    const word = stateWord(card);
    put(state, `${word} for ${age(nowS() - (card.silent ? card.silent_since ?? card.heard : card.since ?? card.heard))}${card.deaf_reason ? `: ${card.deaf_reason}` : ""}`);
    put(facts, [card.room, card.model, card.board, card.version, card.volume === null ? null : `volume ${card.volume} %`, `heard ${age(nowS() - card.heard)} ago`, card.skew_s && Math.abs(card.skew_s) > 5 ? `its clock is ${age(Math.abs(card.skew_s))} ${card.skew_s > 0 ? "ahead" : "behind"}` : null, card.duplicate ? "two devices use this id" : null, card.flood ? "floods the broker: thinned here" : null].filter(Boolean).join(" · "));
    ring.show(canvas, card.silent || !card.online ? "off" : card.hearing === "deaf" ? "not_ready" : card.state, word);
    advice.hidden = !card.advice;
    if (card.advice && advice.said !== card.advice.text) {
      advice.said = card.advice.text;
      advice.replaceChildren(`${card.advice.text} `, ...(card.advice.command ? [el("button", { type: "button", textContent: card.advice.label, onclick: () => send([id], card.advice.command, card.advice.args ?? {}, answer) })] : []));
    }
  }

  async function body() {
    let facts;
    try { facts = await get(`/api/device/${encodeURIComponent(id)}`); } catch (error) { stages.replaceChildren(el("p", { textContent: error.message })); return; }
    stages.replaceChildren(el("h3", { textContent: "Stages" }), stageTable(facts.stages ?? {}), engineTable(facts.engines ?? {}), boardLine(facts.board ?? {}));
    timeline.replaceChildren(el("h3", { textContent: "Time line" }), facts.timeline?.length
      ? el("ul", { className: "timeline" }, ...facts.timeline.map((item) => el("li", {}, el("small", { textContent: clockTime(item.at) }), el("small", { textContent: item.kind }), el("span", { className: ["P0", "P1"].includes(item.severity) ? "bad" : "", textContent: item.text }))))
      : el("p", { className: "note", textContent: "Nothing happened yet." }));
    turns.replaceChildren(el("h3", { textContent: "Last turns" }), legend(), turnList(facts.turns ?? []));
  }
  head();
  body();
  const stop = listen((ids, why) => { if (why === "snapshot" || ids.includes(id)) head(); });
  const ticking = setInterval(head, 1000), again = setInterval(() => { if (!document.hidden && !String(getSelection())) body(); }, AGAIN_MS);
  const end = charts(history, id);
  return () => { stop(); clearInterval(ticking); clearInterval(again); end(); ring.forget(canvas); document.title = "Voice appliances"; };
}

function stageTable(stages) {
  const rows = Object.entries(stages);
  if (!rows.length) return el("p", { className: "note", textContent: "No turn yet." });
  return el("table", {}, el("thead", {}, el("tr", {}, el("th", { textContent: "stage, ms" }), ...["p50", "p95", "p99", "budget"].map((text) => el("th", { className: "n", textContent: text })))),
    el("tbody", {}, ...rows.map(([name, row]) => el("tr", {}, el("td", { textContent: measureWord(name) }), ...["p50", "p95", "p99"].map((key) => el("td", { className: row.budget && row[key] > row.budget[0] ? "n over" : "n", textContent: ms(row[key] ?? null) })), el("td", { className: "n", textContent: row.budget ? `≤ ${number(row.budget[0])}` : DASH })))));
}

function engineTable(engines) {
  const rows = Object.entries(engines);
  if (!rows.length) return null;
  return el("table", {}, el("thead", {}, el("tr", {}, ...["engine", "state", "restarts"].map((text) => el("th", { textContent: text })))),
    el("tbody", {}, ...rows.map(([name, row]) => el("tr", {}, el("td", { textContent: name }), el("td", { className: row.ready ? "kept" : "over", textContent: row.breaker_open ? "crash loop" : row.ready ? "ready" : "away" }), el("td", { textContent: number(row.restarts ?? null) })))));
}

function boardLine(board) {
  const words = Object.entries(board).filter(([, value]) => value !== null && typeof value !== "object").map(([name, value]) => `${measureWord(name)} ${typeof value === "number" ? number(value, 1) : value}`);
  return words.length ? el("p", { className: "note", textContent: words.join(" · ") }) : null;
}

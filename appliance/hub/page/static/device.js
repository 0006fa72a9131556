// One device: what it does now, what is wrong with it and what to do, every judged measure beside its target.
import * as ring from "./ring.js";
import { devices, listen, nowS } from "./stream.js";
import { age, clockTime, el, measureWord, number, put, stateWord } from "./words.js";

export function deviceView(root, id) {
  const canvas = el("canvas", { className: "ring", width: 144, height: 144 });
  canvas.setAttribute("role", "img");
  ring.watch(canvas);
  const name = el("h2"), state = el("p"), facts = el("p", { className: "what" });
  const troubles = el("section", { className: "panel" }), measures = el("section", { className: "panel" });
  const head = el("div", { className: "page-head" }, canvas, el("div", {}, name, state, facts));
  head.dataset.device = id;
  root.replaceChildren(head, troubles, measures);
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
    if (drawn === card.number) return;
    drawn = card.number;
    troubles.replaceChildren(el("h3", { textContent: card.troubles.length ? "What needs help" : "All well" }),
      el("ul", { className: "timeline" }, ...card.troubles.map((trouble) => el("li", {}, el("small", { textContent: `since ${clockTime(trouble.since_s)}` }), el("small", { textContent: trouble.severity }), el("span", { className: "bad", textContent: `${trouble.sentence}. ${trouble.advice}` })))));
    measures.replaceChildren(el("h3", { textContent: "Budgets" }), measureTable(card.lights));
  }
  draw();
  const stop = listen((ids, why) => { if (why === "snapshot" || ids.includes(id)) draw(); });
  const ticking = setInterval(draw, 1000);
  return () => { stop(); clearInterval(ticking); ring.forget(canvas); document.title = "Voice appliances"; };
}

function measureTable(lights) {
  if (!lights.length) return el("p", { className: "note", textContent: "No figures yet: they come with the device's next message." });
  return el("table", {}, el("thead", {}, el("tr", {}, el("th", { textContent: "measure" }), el("th", { className: "n", textContent: "now" }), el("th", { className: "n", textContent: "target" }), el("th", { textContent: "" }))),
    el("tbody", {}, ...lights.map((light) => el("tr", {}, el("td", { textContent: measureWord(light.name) }), el("td", { className: light.verdict === "met" ? "n" : "n over", textContent: `${number(light.value, 2)} ${light.unit}` }),
      el("td", { className: "n", textContent: `${number(light.target, 2)} ${light.unit}` }), el("td", { className: light.verdict === "met" ? "kept" : "over", textContent: light.verdict === "met" ? "kept" : light.verdict })))));
}

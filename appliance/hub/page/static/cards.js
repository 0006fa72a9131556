// One device's card: made once, then only what changed is written, so that selections, menus and focus survive.
import { age, clockTime, DASH, el, measureWord, ms, number, put, stateWord } from "./words.js";
import { nowS } from "./stream.js";
import * as ring from "./ring.js";

const template = document.getElementById("card");
const BUDGETS_SHOWN = 4;

export function makeCard(card) {
  const node = template.content.firstElementChild.cloneNode(true);
  node.dataset.device = card.id;
  const parts = Object.fromEntries(["ring", "open", "what", "state", "ms", "spark", "p95", "lights", "advice", "age", "turns", "pick"]
    .map((name) => [name, node.querySelector(`.${name}`)]));
  node.parts = parts;
  parts.open.href = `/?device=${encodeURIComponent(card.id)}`;
  parts.pick.querySelector("input").setAttribute("aria-label", `Select ${card.name ?? card.id}`);
  ring.watch(parts.ring);
  updateCard(node, card, false);
  return node;
}

export function updateCard(node, card, tint = true) {
  const { parts } = node;
  const word = stateWord(card);
  put(parts.open, card.name ?? card.id);
  put(parts.what, [card.room && card.room !== card.name ? card.room : null, card.board, card.version].filter(Boolean).join(" · ") || DASH);
  put(parts.state, word);
  parts.state.className = `state ${["deaf", "silent", "offline", "error"].includes(word) ? "bad" : card.state === "idle" ? "" : "live"}`;
  ring.show(parts.ring, word === "silent" || word === "offline" ? "off" : card.hearing === "muted" ? "muted" : word === "deaf" ? "not_ready" : card.state, word);
  put(parts.ms, ms(card.response_p50));
  put(parts.p95, `p95 ${ms(card.response_p95)}`);
  drawSpark(parts.spark, card.spark ?? []);
  drawLights(parts.lights, card.alerts ?? []);
  const advice = card.advice ?? null;
  parts.advice.classList.toggle("on", advice !== null);
  if (advice !== null) drawAdvice(parts.advice, advice);
  node.classList.toggle("silent", Boolean(card.silent));
  node.classList.toggle("sick", (card.score ?? 0) > 0 && (advice !== null || Boolean(card.silent)));
  put(parts.turns, card.turns_today === null || card.turns_today === undefined ? "" : `${number(card.turns_today)} turns today`);
  drawAge(node, card);
  if (tint && node.inSight !== false) {
    node.classList.remove("changed");
    requestAnimationFrame(() => node.classList.add("changed"));
  }
}

/** One sentence, and the button that may help. */
function drawAdvice(target, advice) {
  const text = `${advice.sentence} since ${clockTime(advice.since_s)}. ${advice.advice} `;
  if (target.drawn === text) return;
  target.drawn = text;
  target.replaceChildren(text, ...(advice.remedy ? [el("button", { type: "button", textContent: advice.remedy.label })] : []));
}

/** Ages tick by themselves, counted from the hub's own reception. */
export function drawAge(node, card) {
  const { age: target } = node.parts;
  if (card.silent) {
    put(target, `silent since ${clockTime(card.silent_since ?? card.heard)}`);
    target.className = "age gone";
    return;
  }
  const seconds = card.heard === null || card.heard === undefined ? null : nowS() - card.heard;
  put(target, seconds === null ? "never heard" : `heard ${age(seconds)}${seconds >= 1 ? " ago" : ""}`);
  target.className = seconds !== null && card.interval_s && seconds > 2.5 * card.interval_s ? "age late" : "age";
}

function drawSpark(node, values) {
  const key = values.join();
  if (node.drawn === key) return;
  node.drawn = key;
  const known = values.filter((value) => value !== null);
  const most = Math.max(500, ...known);
  const step = 150 / Math.max(1, values.length - 1);
  let line = "", broken = "", pen = false;
  values.forEach((value, at) => {
    const x = (at * step).toFixed(1);
    if (value === null) {
      broken += `M${x} 25v-4`;
      pen = false;
      return;
    }
    line += `${pen ? "L" : "M"}${x} ${(26 - value / most * 24).toFixed(1)}`;
    pen = true;
  });
  node.querySelector(".line").setAttribute("d", line);
  node.querySelector(".broken").setAttribute("d", broken);
  node.setAttribute("aria-label", known.length
    ? `Last ${values.length} turns: ${ms(Math.min(...known))} to ${ms(Math.max(...known))} ms, ${values.length - known.length} broken`
    : "No turns yet");
}

/** Met budgets are one quiet dot; only broken ones get words. */
function drawLights(list, alerts) {
  const key = alerts.map((alert) => `${alert.name}${alert.verdict}${alert.value}`).join();
  if (list.drawn === key) return;
  list.drawn = key;
  if (!alerts.length) {
    list.replaceChildren(el("li", { textContent: "all budgets kept" }));
    return;
  }
  const items = alerts.slice(0, BUDGETS_SHOWN).map((alert) => el("li", {
    className: alert.verdict === "critical" ? "bad" : "warn",
    textContent: `${measureWord(alert.name)} ${number(alert.value, 2)}${alert.unit ? ` ${alert.unit}` : ""}`,
    title: `target ${number(alert.target, 2)} ${alert.unit}`,
  }));
  if (alerts.length > BUDGETS_SHOWN) items.push(el("li", { className: "warn", textContent: `${alerts.length - BUDGETS_SHOWN} more` }));
  list.replaceChildren(...items);
}

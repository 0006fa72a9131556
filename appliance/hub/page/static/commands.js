// Commands to one device or to many: asked once where they are heard in the room, the answer shown in place.
import { command, whoAmI } from "./api.js";
import { devices } from "./stream.js";
import { el } from "./words.js";

export const COMMANDS = {
  self_test: { label: "Self-test" },
  mute: { label: "Mute", args: { muted: true } },
  unmute: { label: "Unmute" },
  stop: { label: "Stop" },
  refresh_home: { label: "Refresh names" },
  restart_engine: { label: "Restart engine", ask: true, choose: { engine: ["sound", "stt", "tts"] } },
  volume: { label: "Volume", number: { name: "percent", least: 0, most: 100, value: 50 } },
  say: { label: "Announce", ask: true, text: { name: "text", hint: "Words to speak" } },
};

export async function send(ids, name, args, answer) {
  answer.textContent = "asking …";
  try {
    const results = await command(ids, name, args);
    const bad = results.filter((result) => !result.ok);
    if (results.length === 1) answer.textContent = results[0].ok ? `done: ${words(results[0].answer)} (${Math.round(results[0].took_ms)} ms)` : `not done: ${words(results[0].answer)}`;
    else answer.textContent = bad.length ? `${results.length - bad.length} of ${results.length} done; not: ${bad.map((result) => result.device).join(", ")}` : `done on all ${results.length}`;
  } catch (error) {
    answer.textContent = error.message;
  }
}

function words(answer) {
  if (answer === null || answer === undefined) return "no answer";
  if (typeof answer === "string") return answer;
  return Object.entries(answer).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ") || "ok";
}

/** Buttons of every command; `ids()` says for which devices. */
export function controls(ids, answer, names = Object.keys(COMMANDS)) {
  return names.map((name) => {
    const { label, args, ask, choose, number, text } = COMMANDS[name];
    const form = el("form", {});
    const field = choose ? el("select", {}, ...Object.values(choose)[0].map((value) => el("option", { value, textContent: value })))
      : number ? el("input", { type: "number", min: number.least, max: number.most, value: number.value, required: true })
        : text ? el("input", { type: "text", placeholder: text.hint, required: true, maxLength: 300 }) : null;
    if (field) { field.setAttribute("aria-label", label); form.append(field); }
    form.append(el("button", { textContent: label }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const key = choose ? Object.keys(choose)[0] : number?.name ?? text?.name;
      const given = { ...args, ...(key ? { [key]: number ? Number(field.value) : field.value } : {}) };
      const whom = ids();
      if (ask && !confirm(`${label} on ${whom.length === 1 ? devices.get(whom[0])?.name ?? whom[0] : `${whom.length} devices`}? People in the room will notice.`)) return;
      send(whom, name, given, answer);
    });
    return form;
  });
}

/** The bar for several selected cards. */
export function actionBar(picked, onClear) {
  const answer = el("p", { className: "answer" });
  answer.setAttribute("role", "status");
  const count = el("b");
  const clear = el("button", { type: "button", className: "quiet", textContent: "Clear", onclick: () => { picked.clear(); onClear(); draw(); } });
  const node = el("section", { className: "bar actions", hidden: true }, count, ...controls(() => [...picked], answer, ["self_test", "mute", "unmute", "refresh_home", "volume", "say"]), clear, answer);
  node.setAttribute("aria-label", "Actions for the selected devices");
  let operator = true;
  whoAmI().then((me) => { operator = me.role === "operator"; draw(); }).catch(() => {});
  function draw() {
    node.hidden = picked.size === 0;
    count.textContent = `${picked.size} selected`;
    for (const button of node.querySelectorAll("form button")) { button.disabled = !operator; button.title = operator ? "" : "Your account may look, not act."; }
  }
  function advise({ id, command: name, args, label }) {
    if (COMMANDS[name]?.ask && !confirm(`${label}: ${devices.get(id)?.name ?? id}? People in the room will notice.`)) return;
    node.hidden = false;
    send([id], name, args ?? {}, answer);
  }
  return { node, draw, advise };
}

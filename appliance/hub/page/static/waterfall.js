// A turn as a waterfall: 0 is the last sample of speech; the wait is named, each stage has its colour and its word in the legend.
import { clockTime, DASH, el, ms, svg } from "./words.js";

const STAGES = [["endpoint", "wait", "waiting for the end of speech"], ["stt", "stt", "text"], ["intent", "intent", "meaning"], ["action", "action", "action"], ["tts_first", "tts", "voice"], ["play", "play", "loudspeaker"]];

export function legend() {
  return el("ul", { className: "legend" }, ...STAGES.map(([, colour, word]) => el("li", {}, svg("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, svg("rect", { width: 10, height: 10, rx: 2, class: `seg-${colour}` })), word)));
}

export function waterfall(turn, most) {
  const picture = svg("svg", { viewBox: "0 0 600 20", preserveAspectRatio: "none", role: "img", "aria-label": STAGES.map(([name, , word]) => `${word} ${ms(turn.ms[name] ?? null)} ms`).join(", ") });
  let x = 0;
  for (const [name, colour] of STAGES) {
    const width = (turn.ms[name] ?? 0) / most * 600;
    if (width > 0) picture.append(svg("rect", { x, y: 3, width: Math.max(width, 1), height: 14, class: `seg-${colour}` }));
    x += width;
  }
  return el("li", { className: "turn" },
    el("small", { textContent: turn.at ? clockTime(turn.at) : DASH }),
    el("div", {}, picture, el("small", { textContent: [turn.intent ?? turn.outcome, turn.transcript ? `“${turn.transcript}”` : null].filter(Boolean).join(" · ") })),
    el("b", { className: turn.failed ? "n over" : "n", textContent: turn.failed ? turn.outcome : turn.ms.response === null ? DASH : `${ms(turn.ms.response)} ms` }));
}

export function turnList(turns) {
  if (!turns.length) return el("p", { className: "note", textContent: "No turn yet. Say the wake word in the room." });
  const most = Math.max(300, ...turns.map((turn) => STAGES.reduce((sum, [name]) => sum + (turn.ms[name] ?? 0), 0)));
  return el("ul", { className: "turns" }, ...turns.map((turn) => waterfall(turn, most)));
}

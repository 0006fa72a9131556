// Every command that went through the hub: who, when, what, and the device's answer.
import { get } from "./api.js";
import { clockTime, el, number } from "./words.js";

export function auditView(root) {
  root.replaceChildren(el("p", { className: "empty", textContent: "Reading …" }));
  get("/api/audit?limit=200").then((rows) => {
    if (!rows.length) { root.replaceChildren(el("p", { className: "empty", textContent: "No command yet. They are given on a device's page, or for several cards at once." })); return; }
    root.replaceChildren(el("section", { className: "panel" }, el("h2", { textContent: "Commands" }),
      el("table", {}, el("thead", {}, el("tr", {}, ...["when", "who", "device", "command", "result", "ms"].map((text) => el("th", { textContent: text })))),
        el("tbody", {}, ...rows.map((row) => el("tr", {}, el("td", { textContent: clockTime(row.at) }), el("td", { textContent: row.who }), el("td", { textContent: row.device }),
          el("td", { textContent: `${row.command}${row.args && Object.keys(row.args).length ? ` ${JSON.stringify(row.args)}` : ""}` }), el("td", { className: row.ok ? "kept" : "over", textContent: typeof row.result === "string" ? row.result : JSON.stringify(row.result) }), el("td", { textContent: number(row.took_ms) })))))));
  }).catch((error) => root.replaceChildren(el("p", { className: "empty", textContent: error.message })));
  return () => {};
}

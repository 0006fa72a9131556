// The hub's JSON API. Every answer that is no success becomes one Error with a sentence.
const DEADLINE_MS = 15000;
const LONGEST_MS = 70000; // an announcement answers when it has been spoken
let me = null;

export async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(DEADLINE_MS) });
  if (!answer.ok) throw new Error(await sentence(answer));
  return answer.json();
}

export async function whoAmI() {
  me ??= await get("/api/me");
  return me;
}

export async function command(devices, name, args) {
  const { csrf } = await whoAmI();
  const answer = await fetch("/api/commands", {
    method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify({ devices, command: name, args }), signal: AbortSignal.timeout(LONGEST_MS),
  });
  if (answer.status === 403) me = null; // the hub began anew: the next try asks for its token
  if (!answer.ok) throw new Error(await sentence(answer));
  return (await answer.json()).results;
}

async function sentence(answer) {
  try { return (await answer.json()).error.message; } catch { return `The hub answered ${answer.status}.`; }
}

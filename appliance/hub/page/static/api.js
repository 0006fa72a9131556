// The hub's JSON API. Every answer that is no success becomes one Error with a sentence.
const DEADLINE_MS = 15000;
let me = null;

export async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(DEADLINE_MS) });
  if (answer.status === 401) { location.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`; }
  if (!answer.ok) throw new Error(await sentence(answer));
  return answer.json();
}

export async function whoAmI() {
  me ??= await get("/api/me");
  return me;
}

export async function command(devices, name, args) {
  const { csrf } = await whoAmI();
  const answer = await fetch("/api/command", {
    method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify({ devices, command: name, args }), signal: AbortSignal.timeout(4 * DEADLINE_MS),
  });
  if (!answer.ok) throw new Error(await sentence(answer));
  return (await answer.json()).results;
}

async function sentence(answer) {
  try { return (await answer.json()).error ?? `The hub answered ${answer.status}.`; } catch { return `The hub answered ${answer.status}.`; }
}

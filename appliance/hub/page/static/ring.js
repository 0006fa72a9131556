// The LED ring of a device, drawn from the panel's own frames (/rings.json). Only rings in sight that move are redrawn.
let rings = null;
const alive = new Map(); // canvas → state
const still = matchMedia("(prefers-reduced-motion: reduce)");
const MOVING_MS = 1000 / 12;

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) entry.target.inSight = entry.isIntersecting;
});

export async function load() {
  const answer = await fetch("/rings.json");
  if (answer.ok) rings = await answer.json();
  for (const [canvas, state] of alive) draw(canvas, state, performance.now());
}

export function watch(canvas) {
  seen.observe(canvas);
}

export function forget(canvas) {
  seen.unobserve(canvas);
  alive.delete(canvas);
}

export function show(canvas, state, label) {
  if (canvas.dataset.state === state) return;
  canvas.dataset.state = state;
  canvas.setAttribute("aria-label", `LED ring: ${label}`);
  alive.set(canvas, state);
  draw(canvas, state, performance.now());
}

function draw(canvas, state, t) {
  const g = canvas.getContext("2d");
  const film = rings?.states[state] ?? null;
  const frame = film ? film[still.matches ? Math.floor(film.length / 3) : Math.floor(t / 1000 * rings.fps) % film.length] : null;
  const count = rings?.count ?? 12;
  const { width } = canvas;
  const off = getComputedStyle(document.documentElement).getPropertyValue("--ring-off");
  g.clearRect(0, 0, width, width);
  for (let pixel = 0; pixel < count; pixel += 1) {
    const angle = pixel / count * 2 * Math.PI - Math.PI / 2;
    const x = width / 2 + Math.cos(angle) * width * 0.39;
    const y = width / 2 + Math.sin(angle) * width * 0.39;
    const colour = frame ? frame.slice(pixel * 6, pixel * 6 + 6) : "000000";
    g.beginPath();
    g.arc(x, y, width * 0.072, 0, 2 * Math.PI);
    g.fillStyle = off;
    g.fill();
    if (colour !== "000000") {
      const [red, green, blue] = [0, 2, 4].map((at) => parseInt(colour.slice(at, at + 2), 16));
      const most = Math.max(red, green, blue);
      g.globalAlpha = most / 255; // a dimmed LED is a fainter dot, on light paper too
      g.fillStyle = `rgb(${[red, green, blue].map((part) => Math.round(part * 255 / most)).join(" ")})`;
      g.fill();
      g.globalAlpha = 1;
    }
  }
}

let last = 0;
function tick(t) {
  requestAnimationFrame(tick);
  if (t - last < MOVING_MS || still.matches || !rings) return;
  last = t;
  for (const [canvas, state] of alive) {
    if (canvas.inSight && (rings.states[state]?.length ?? 0) > 1) draw(canvas, state, t);
  }
}
requestAnimationFrame(tick);

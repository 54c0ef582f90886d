// Display equations that are wider than their column are drawn smaller, down to 60 %.
"use strict";

function fit(math) {
  math.style.fontSize = "";
  const room = math.parentElement.clientWidth;
  const svg = math.querySelector("svg");
  if (!svg || !room) return;
  const needed = Math.max(svg.getBoundingClientRect().width, math.scrollWidth);
  if (needed > room) math.style.fontSize = Math.max(60, Math.floor((100 * room) / needed) - 1) + "%";
}

function fitAll() {
  document.querySelectorAll("div.math mjx-container[display='true']").forEach(fit);
}

window.addEventListener("load", () => {
  const ready = window.MathJax && MathJax.startup ? MathJax.startup.promise : Promise.resolve();
  ready.then(fitAll);
  window.addEventListener("resize", fitAll);
});

// ---------------------------------------------------------------- things to move
const SVG = "http://www.w3.org/2000/svg";

function element(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
}

// Axes in a 520 x 300 box; the returned functions turn data into pixels.
function axes(stage, xs, ys, labels, says) {
  stage.replaceChildren();
  const svg = element(stage, "svg", { viewBox: "0 0 520 300", role: "img", "aria-label": says });
  const x = (v) => 50 + (455 * (v - xs[0])) / (xs[1] - xs[0]);
  const y = (v) => 255 - (235 * (v - ys[0])) / (ys[1] - ys[0]);
  for (let k = 0; k <= 4; k++) {
    const v = ys[0] + ((ys[1] - ys[0]) * k) / 4, u = xs[0] + ((xs[1] - xs[0]) * k) / 4;
    element(svg, "line", { x1: 50, x2: 505, y1: y(v), y2: y(v), stroke: "var(--grid)" });
    element(svg, "text", { x: 44, y: y(v) + 4, "text-anchor": "end" }, +v.toFixed(2));
    element(svg, "text", { x: x(u), y: 271, "text-anchor": "middle" }, +u.toFixed(2));
  }
  element(svg, "text", { x: 277, y: 292, "text-anchor": "middle" }, labels[0]);
  element(svg, "text", { x: 12, y: 137, "text-anchor": "middle", transform: "rotate(-90 12 137)" }, labels[1]);
  return { svg, x, y };
}

function path(to, points, look) {
  const d = points.map(([u, v], k) => (k ? "L" : "M") + to.x(u) + " " + to.y(v)).join("");
  element(to.svg, "path", { d, fill: "none", "stroke-width": 2.2, ...look });
}

const plays = {
  // A_t = δ_t + γλ A_{t+1}, from the last step back
  gae(data, lam, stage) {
    const found = data.delta.slice();
    for (let t = found.length - 2; t >= 0; t--) found[t] += data.gamma * lam * found[t + 1];
    const n = found.length, says = `Advantages for λ = ${lam}: ${found.map((a) => a.toFixed(3)).join(", ")}`;
    const to = axes(stage, [-0.5, n - 0.5], [-3, 5], ["step t", "δ, Â"], says);
    data.delta.forEach((d, t) =>
      element(to.svg, "rect", { x: to.x(t - 0.35), width: to.x(0.7) - to.x(0), y: Math.min(to.y(d), to.y(0)),
        height: Math.abs(to.y(d) - to.y(0)), fill: "var(--sky)" }));
    path(to, found.map((a, t) => [t, a]), { stroke: "var(--orange)" });
    found.forEach((a, t) => element(to.svg, "circle", { cx: to.x(t), cy: to.y(a), r: 4, fill: "var(--orange)" }));
    return `Advantages: ${found.map((a) => a.toFixed(3)).join(", ")}`;
  },
  // a symmetric 2 x 2 game: where each curve jumps, and which profiles both curves share
  payoffs(data, prize, stage) {
    const [[, b], [c, d]] = data.row, a = prize;
    const atOne = a - c, atZero = b - d, found = [];
    if (atOne > 0) found.push([1, 1]);
    if (atZero < 0) found.push([0, 0]);
    if (atOne < 0 && atZero > 0) found.push([1, 0], [0, 1]);
    const inner = atOne * atZero < 0 ? atZero / (atZero - atOne) : null;
    if (inner !== null) found.splice(1, 0, [inner, inner]);
    if (atOne === 0) found.push([1, 1]);
    const says = "Equilibria: " + found.map(([p, q]) => `p = ${+p.toPrecision(3)}, q = ${+q.toPrecision(3)}`).join("; ") + ".";
    const to = axes(stage, [0, 1], [0, 1], ["p, player 1 hunts the stag", "q, player 2"], says);
    const start = +(atZero > 0), end = +(atOne > 0);
    const curve = inner === null ? [[0, +(atOne + atZero > 0)], [1, +(atOne + atZero > 0)]]
      : [[0, start], [inner, start], [inner, end], [1, end]];
    path(to, curve.map(([u, v]) => [v, u]), { stroke: "var(--blue)" });
    path(to, curve, { stroke: "var(--orange)", "stroke-dasharray": "7 4" });
    found.forEach(([p, q]) => element(to.svg, "circle", { cx: to.x(p), cy: to.y(q), r: 6, stroke: "var(--ink)",
      "stroke-width": 2, fill: Number.isInteger(p) ? "var(--ink)" : "var(--paper)" }));
    return says;
  },
};

document.querySelectorAll("[data-play]").forEach((box) => {
  const play = plays[box.id.replace("play-", "")], data = JSON.parse(box.dataset.play);
  const label = box.querySelector("label"), input = label.querySelector("input");
  label.hidden = false;
  const show = () => {
    label.querySelector("output").textContent = input.value;
    box.querySelector(".said").textContent = play(data, +input.value, box.querySelector(".stage"));
  };
  input.addEventListener("input", show);
  show();
});

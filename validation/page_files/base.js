"use strict";
// Data of the report, what is shown at the moment, and small helpers.
const D = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const MARK = { fail: "✕", pass: "✓", review: "?" };
const WORD = { fail: "Fail", pass: "Pass", review: "Can’t tell" };
const S = {
  at: 0, mode: "wipe", wipe: 0.5, mix: 0.5, outlines: true, hidden: new Set(), heat: false,
  zoom: 1, x: 0.5, y: 0.5, part: "", finding: null, playing: false, filter: { part: "", kind: "", severity: "" },
};
const LAST = D.frames.length - 1;

function el(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on") || name === "className" || name === "textContent") made[name] = value;
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...inside.filter(one => one !== null && one !== undefined && one !== ""));
  return made;
}
const mark = verdict => el("span", { className: `m ${verdict}`, "aria-hidden": "true", textContent: MARK[verdict] });
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const clamp = (v, low, high) => Math.max(low, Math.min(high, v));
const number = v => v === null || v === undefined ? "–" : Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : v.toFixed(2);
const amount = (v, unit) => unit === "share" ? (v === null || v === undefined ? "–" : `${Math.round(100 * v)} %`) : `${number(v)}${unit ? " " + unit : ""}`;
const short = (a, b) => a === b ? `${a}` : `${a}–${b}`;
const span = ([a, b]) => `${a === b ? "frame" : "frames"} ${short(a, b)}`;
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const title = f => `${f.part ? f.part + " " : ""}${f.title}`;

const place = new Map(D.frames.map((frame, i) => [frame, i]));
function positionOf(frame) {
  if (place.has(frame)) return place.get(frame);
  let best = 0;
  D.frames.forEach((f, i) => { if (Math.abs(f - frame) < Math.abs(D.frames[best] - frame)) best = i; });
  return best;
}
const positions = f => [positionOf(f.frames[0]), positionOf(f.frames[1])];
const covers = (f, i) => f.frames[0] <= D.frames[i] && D.frames[i] <= f.frames[1];

// A canvas as sharp as the screen; returns its context in CSS pixels, with width and height.
function sharp(canvas) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.max(1, Math.round(width * ratio));
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.max(1, Math.round(height * ratio));
  const x = canvas.getContext("2d");
  x.setTransform(ratio, 0, 0, ratio, 0, 0);
  x.clearRect(0, 0, width, height);
  return [x, width, height];
}
// Lines at 45 degrees, so that a shaded span can be told without its colour.
function hatched(x, left, top, width, height, ink) {
  x.save();
  x.beginPath(); x.rect(left, top, width, height); x.clip();
  x.strokeStyle = ink; x.lineWidth = 1; x.beginPath();
  for (let at = left - height; at < left + width; at += 6) { x.moveTo(at, top + height); x.lineTo(at + height, top); }
  x.stroke(); x.restore();
}

"use strict";
const D = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const el = (tag, cls, text) => { const e = document.createElement(tag); if (cls) e.className = cls; if (text !== undefined) e.textContent = text; return e; };
const MARK = { fail: "✕", pass: "✓", review: "?" };
const S = { at: 0, mode: "wipe", outlines: true, wipe: 0.5, part: D.parts.length ? D.parts[0].name : "", finding: -1, playing: false };
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const span = f => f.frames[0] === f.frames[1] ? `frame ${f.frames[0]}` : `frames ${f.frames[0]}–${f.frames[1]}`;
const indexOf = frame => { let best = 0; D.frames.forEach((f, i) => { if (Math.abs(f - frame) < Math.abs(D.frames[best] - frame)) best = i; }); return best; };
const images = D.pictures.map(p => { const r = new Image(), t = new Image(); r.src = p.render; t.src = p.take; r.onload = t.onload = () => { if (pictureAt(S.at) === p) draw(); }; return { r, t }; });
function pictureAt(i) { let best = 0; D.pictures.forEach((p, k) => { if (Math.abs(p.index - i) < Math.abs(D.pictures[best].index - i)) best = k; }); return D.pictures[best]; }

function head() {
  document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  $("verdict").classList.add(D.verdict);
  $("verdict").querySelector(".mark").textContent = MARK[D.verdict];
  $("verdict").querySelector(".word").textContent = D.verdict === "review" ? "can't tell" : D.verdict;
  const s = D.summary.replace(/^(fail|pass|review): /, "");
  $("sentence").textContent = s[0].toUpperCase() + s.slice(1) + ".";
  $("about").textContent = [`Take ${D.take}`, D.look && `look ${D.look}`, D.provider && `by ${D.provider}`, `${D.frames.length} frames`, `${D.size[0]}×${D.size[1]}`, `${(D.fps[0] / D.fps[1]).toFixed(2).replace(/\.?0+$/, "")} fps`].filter(Boolean).join(" · ");
  for (const p of D.parts) {
    const b = el("button", "chip " + p.verdict); b.append(el("span", "m", MARK[p.verdict]), el("b", "", p.name), el("span", "why", " " + p.why));
    b.onclick = () => { S.part = p.name; tabs(); plots(); const k = D.findings.findIndex(f => f.part === p.name); if (k >= 0) show(k); }; $("parts").append(b);
  }
}
function cards() {
  const n = D.findings.length, box = $("findings");
  $("count").textContent = n ? `${n} finding${n > 1 ? "s" : ""}` : "Findings";
  if (!n) { const e = el("div", "none"); e.append(el("b", "", D.verdict === "review" ? "?" : "✓"), document.createTextNode(D.verdict === "review" ? "No fault found, but not everything could be judged." : "Every part is there, in place, in shape and in colour.")); box.append(e); }
  D.findings.forEach((f, k) => {
    const c = el("button", "card"); c.dataset.finding = f.id;
    if (f.picture) { const pair = el("div", "pair"); pair.append(el("span", "", "render"), el("span", "", "take")); const i = el("img"); i.src = f.picture; i.alt = `Render and take at frame ${f.worst}`; c.append(pair, i); }
    const top = el("div", "top"); top.append(el("b", "", (f.part ? f.part + " " : "") + f.title), el("span", "tag", f.severity), el("span", "at", span(f))); c.append(top);
    c.append(el("p", "", f.says));
    if (f.limit > 0) {
      const full = Math.max(f.value, f.limit) * 1.15, m = el("div", "meter"), i = el("i"), u = el("u");
      i.style.width = 100 * f.value / full + "%"; u.style.left = 100 * f.limit / full + "%"; m.append(i, u); c.append(m);
      const num = el("div", "num"); num.append(el("span", "", `${f.measure} ${fmt(f.value)} ${f.unit}`), el("span", "", `limit ${fmt(f.limit)} · sure ${Math.round(f.confidence * 100)} %`)); c.append(num);
    }
    c.append(el("p", "todo", "→ " + f.suggestion));
    if (f.also.length) c.append(el("p", "also", "Also explains: " + f.also.join("; ")));
    c.onclick = () => show(k); box.append(c);
  });
}
const fmt = v => v === null || v === undefined ? "–" : Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : v.toFixed(2);
function show(k) { S.finding = k; const f = D.findings[k]; if (f.part) S.part = f.part; tabs(); plots(); go(indexOf(f.worst)); document.querySelectorAll(".card").forEach((c, i) => c.classList.toggle("on", i === k)); }
function go(i) { S.at = Math.max(0, Math.min(D.frames.length - 1, i)); $("slider").value = S.at; draw(); lanes(); cursors(); }

function draw() {
  if (!D.pictures.length) return;
  const c = $("stage"), x = c.getContext("2d"), p = pictureAt(S.at), im = images[D.pictures.indexOf(p)], side = S.mode === "side";
  const w = 1280, h = Math.round(w * D.size[1] / D.size[0]); c.width = w; c.height = side ? h / 2 : h;
  if (!im.r.complete || !im.t.complete) return;
  const put = (img, X, Y, W, H) => { if (img.naturalWidth) x.drawImage(img, X, Y, W, H); };
  if (side) { put(im.r, 0, 0, w / 2 - 2, h / 2); put(im.t, w / 2 + 2, 0, w / 2 - 2, h / 2); }
  else if (S.mode === "difference") { put(im.r, 0, 0, w, h); x.globalCompositeOperation = "difference"; put(im.t, 0, 0, w, h); x.globalCompositeOperation = "source-over"; }
  else if (S.mode === "onion") { put(im.r, 0, 0, w, h); x.globalAlpha = S.wipe; put(im.t, 0, 0, w, h); x.globalAlpha = 1; }
  else { put(im.r, 0, 0, w, h); x.save(); x.beginPath(); x.rect(S.wipe * w, 0, w, h); x.clip(); put(im.t, 0, 0, w, h); x.restore(); }
  const paint = (X, W, H) => { for (const [name, lines] of Object.entries(p.outlines)) { const bad = D.findings.some(f => (f.part === name) && f.frames[0] <= D.frames[S.at] && D.frames[S.at] <= f.frames[1]);
    for (const [width, colour] of [[4.5, "rgba(10,12,16,.75)"], [2, bad ? "#ff8a00" : "rgba(235,240,245,.9)"]]) { x.lineWidth = width; x.strokeStyle = colour; x.setLineDash(bad ? [9, 5] : []);
      for (const q of lines) { x.beginPath(); for (let i = 0; i < q.length; i += 2) x[i ? "lineTo" : "moveTo"](X + q[i] * W, q[i + 1] * H); x.closePath(); x.stroke(); } } x.setLineDash([]); } };
  if (S.outlines) { if (side) { paint(0, w / 2 - 2, h / 2); paint(w / 2 + 2, w / 2 - 2, h / 2); } else paint(0, w, h); }
  const label = (t, X, right) => { x.font = "600 20px system-ui,sans-serif"; const W = x.measureText(t).width + 20; if (right) X -= W; x.fillStyle = "rgba(12,14,18,.72)"; x.beginPath(); x.roundRect(X, 12, W, 32, 7); x.fill(); x.fillStyle = "#fff"; x.fillText(t, X + 10, 35); };
  if (S.mode === "wipe") { x.fillStyle = "#fff"; x.fillRect(S.wipe * w - 1.5, 0, 3, h); x.beginPath(); x.arc(S.wipe * w, h / 2, 13, 0, 7); x.fill(); x.fillStyle = "#333"; x.font = "700 15px system-ui"; x.textAlign = "center"; x.fillText("↔", S.wipe * w, h / 2 + 5); x.textAlign = "start"; label("render", 12); label("take", w - 12, true); }
  else if (side) { label("render", 12); label("take", w / 2 + 14); } else label(S.mode === "onion" ? `take over render, ${Math.round(S.wipe * 100)} %` : "difference", 12);
  const src = D.sources[S.at], f = D.frames[S.at];
  $("where").textContent = `Frame ${f}` + (src !== f ? ` (shows ${src})` : "") + (p.index !== S.at ? ` · picture of ${D.frames[p.index]}` : "");
  c.dataset.frame = f;
}
function fit(c, h) { const r = devicePixelRatio || 1, w = c.clientWidth || c.parentElement.clientWidth; c.width = Math.max(1, Math.round(w * r)); c.height = Math.round(h * r); c.style.height = h + "px"; const x = c.getContext("2d"); x.setTransform(r, 0, 0, r, 0, 0); return [x, w]; }
function lanes() {
  const rows = ["", ...D.parts.map(p => p.name)].filter(n => n || D.findings.some(f => !f.part)), h = rows.length * 18 + 4;
  const [x, w] = fit($("lanes"), h), left = 70, step = (w - left - 8) / D.frames.length;
  x.font = "12px system-ui,sans-serif"; x.textBaseline = "middle";
  rows.forEach((name, r) => { const y = r * 18 + 10; x.fillStyle = css("--soft"); x.fillText(name || "picture", 2, y, left - 8); x.fillStyle = css("--line"); x.fillRect(left, y - 4, step * D.frames.length, 8);
    for (const f of D.findings) if (f.part === name) { const a = indexOf(f.frames[0]), b = indexOf(f.frames[1]); x.fillStyle = css("--fail"); x.fillRect(left + a * step, y - 6, (b - a + 1) * step, 12); } });
  x.fillStyle = css("--ink"); x.fillRect(left + (S.at + .5) * step - 1, 0, 2, h);
}
function tabs() { const box = $("tabs"); box.replaceChildren(); for (const p of D.parts) { const b = el("button", "", `${MARK[p.verdict]} ${p.name}`); b.setAttribute("aria-pressed", p.name === S.part); b.onclick = () => { S.part = p.name; tabs(); plots(); }; box.append(b); } }
let charts = [];
function plots() {
  const box = $("plots"); box.replaceChildren(); charts = [];
  for (const [kind, s] of Object.entries(D.signals[S.part] || {})) {
    const e = el("div", "plot"), n = el("div", "name"), v = el("span"), c = el("canvas"); n.append(el("b", "", D.titles[kind]), v); e.append(n, c, el("p", "", s.says)); box.append(e);
    const chart = { c, v, s, kind }; charts.push(chart);
    c.onclick = ev => go(Math.floor((ev.offsetX - 4) / (c.clientWidth - 8) * D.frames.length));
    c.onmousemove = ev => { if (ev.buttons) c.onclick(ev); };
  }
  cursors();
}
function cursors() { for (const p of charts) chart(p); }
function chart({ c, v, s, kind }) {
  const H = 92, [x, w] = fit(c, H), n = D.frames.length, step = (w - 8) / n, X = i => 4 + (i + .5) * step;
  const top = Math.max(s.limit * 1.6, ...s.values.filter(u => u !== null)) * 1.08 || 1, low = Math.min(0, ...s.values.filter(u => u !== null)), Y = u => 4 + (H - 8) * (1 - (u - low) / (top - low));
  x.fillStyle = css("--shade"); for (const f of D.findings) if (f.part === S.part && f.kind === kind) { const a = indexOf(f.frames[0]), b = indexOf(f.frames[1]); x.fillRect(X(a) - step / 2, 0, (b - a + 1) * step, H); }
  x.strokeStyle = css("--line"); x.lineWidth = 1; x.strokeRect(4, 4, w - 8, H - 8);
  x.strokeStyle = css("--fail"); x.setLineDash([6, 4]); x.beginPath(); x.moveTo(4, Y(s.limit)); x.lineTo(w - 4, Y(s.limit)); x.stroke(); x.setLineDash([]);
  x.strokeStyle = css("--accent"); x.lineWidth = 1.8; x.lineJoin = "round"; x.beginPath(); let pen = false;
  s.values.forEach((u, i) => { if (u === null) { pen = false; return; } x[pen ? "lineTo" : "moveTo"](X(i), Y(u)); pen = true; }); x.stroke();
  x.fillStyle = css("--fail"); s.values.forEach((u, i) => { if (u !== null && u > s.limit) { x.beginPath(); x.arc(X(i), Y(u), 2.6, 0, 7); x.fill(); } });
  x.fillStyle = css("--ink"); x.fillRect(X(S.at) - .75, 0, 1.5, H);
  v.textContent = `${fmt(s.values[S.at])} ${s.unit} · limit ${fmt(s.limit)}`;
}
function mode(m) { S.mode = m; document.querySelectorAll("[data-mode]").forEach(b => b.setAttribute("aria-pressed", b.dataset.mode === m)); draw(); }
let timer = 0;
function play() { S.playing = !S.playing; $("play").textContent = S.playing ? "❚❚" : "▶"; clearInterval(timer); if (S.playing) timer = setInterval(() => go((S.at + 1) % D.frames.length), 1000 * D.fps[1] / D.fps[0]); }
function hop(d) { if (D.findings.length) show((Math.max(S.finding, d > 0 ? -1 : 0) + d + D.findings.length) % D.findings.length); }
function wire() {
  document.querySelectorAll("[data-mode]").forEach(b => b.onclick = () => mode(b.dataset.mode));
  const outlines = () => { S.outlines = !S.outlines; $("outlines").setAttribute("aria-pressed", S.outlines); draw(); };
  $("outlines").onclick = outlines; $("back").onclick = () => go(S.at - 1); $("next").onclick = () => go(S.at + 1); $("play").onclick = play;
  $("slider").max = D.frames.length - 1; $("slider").oninput = e => go(+e.target.value);
  $("theme").onclick = () => { const r = document.documentElement; r.dataset.theme = r.dataset.theme === "dark" ? "light" : "dark"; lanes(); cursors(); };
  const drag = e => { if (e.buttons && (S.mode === "wipe" || S.mode === "onion")) { S.wipe = Math.max(0, Math.min(1, e.offsetX / $("stage").clientWidth)); draw(); } };
  $("stage").onpointerdown = drag; $("stage").onpointermove = drag;
  $("lanes").onclick = e => go(Math.floor((e.offsetX - 70) / ($("lanes").clientWidth - 78) * D.frames.length));
  const keys = { ArrowLeft: e => go(S.at - (e.shiftKey ? 10 : 1)), ArrowRight: e => go(S.at + (e.shiftKey ? 10 : 1)), Home: () => go(0), End: () => go(D.frames.length - 1), " ": play, o: outlines, n: () => hop(1), p: () => hop(-1), 1: () => mode("wipe"), 2: () => mode("side"), 3: () => mode("difference"), 4: () => mode("onion") };
  addEventListener("keydown", e => { if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key]) return; e.preventDefault(); keys[e.key](e); });
  addEventListener("resize", () => { lanes(); cursors(); });
}
head(); cards(); tabs(); wire(); plots(); mode("wipe");
$("foot").textContent = [...D.notes, `Compared with the ground truth of the shot, part by part; colours and light are free, shape, place, motion and presence are not. Limits are set so that ${D.rate || "false findings are rare"}. Pictures here are reduced proxies: the numbers come from the originals.`].join(" ");
if (D.findings.length) show(0); else go(0);

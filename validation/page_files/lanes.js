// Findings over time below the viewer, one lane a part, and moving through the frames.
const ROW = 19;
const laneNames = [...new Set(D.findings.map(f => f.part))].sort((a, b) => (a !== "") - (b !== "") || D.names.indexOf(a) - D.names.indexOf(b));
let laneLeft = 90;

function makeLanes() {
  if (!laneNames.length) return;
  const canvas = el("canvas", { "aria-label": "Findings over time" });
  canvas.style.height = `${laneNames.length * ROW + 4}px`;
  const seek = e => go(Math.floor((e.offsetX - laneLeft) / (canvas.clientWidth - laneLeft - 8) * D.frames.length));
  canvas.onpointerdown = e => {
    seek(e);
    const i = S.at, f = D.findings.find(one => one.part === laneNames[Math.floor((e.offsetY - 2) / ROW)] && covers(one, i));
    if (f) show(f, i);
  };
  canvas.onpointermove = e => { if (e.buttons) seek(e); };
  $("lanes").append(canvas);
}
function drawLanes() {
  const canvas = $("lanes").firstChild;
  if (!canvas) return;
  const [x, width, height] = sharp(canvas);
  laneLeft = Math.min(130, width * 0.24);
  const step = (width - laneLeft - 8) / D.frames.length;
  x.font = "12.5px system-ui,sans-serif"; x.textBaseline = "middle";
  laneNames.forEach((name, row) => {
    const y = 2 + row * ROW + ROW / 2;
    x.fillStyle = colour("--soft"); x.fillText(fitting(x, name || "whole picture", laneLeft - 10), 1, y);
    x.fillStyle = colour("--line"); x.fillRect(laneLeft, y - 4, step * D.frames.length, 8);
    for (const f of D.findings) {
      if (f.part !== name) continue;
      const [a, b] = positions(f), left = laneLeft + a * step, long = Math.max(3, (b - a + 1) * step);
      x.fillStyle = colour({ major: "--fail", unsure: "--reviewbg" }[f.severity] || "--card"); x.fillRect(left, y - 6, long, 12);
      x.strokeStyle = colour(f === S.finding ? "--ink" : f.severity === "unsure" ? "--review" : "--fail"); x.lineWidth = f === S.finding ? 2 : 1.2; x.strokeRect(left, y - 6, long, 12);
    }
  });
  x.fillStyle = colour("--ink"); x.fillRect(laneLeft + (S.at + 0.5) * step - 1, 0, 2, height);
}
function fitting(x, text, room) {
  if (x.measureText(text).width <= room) return text;
  while (text && x.measureText(text + "…").width > room) text = text.slice(0, -1);
  return text + "…";
}

function go(i) {
  S.at = clamp(i, 0, LAST);
  $("slider").value = S.at;
  draw(); drawLanes(); moveCursors();
}
// A finding at its worst frame (or at the position given): its card, its part's measures, its place.
function show(f, at = positionOf(f.worst)) {
  S.finding = f;
  for (const card of document.querySelectorAll(".card")) card.classList.toggle("on", card.dataset.finding === f.id);
  if (f.part && f.part !== S.part) choosePart(f.part);
  go(at);
}
let began = 0, from = 0;
function play() {
  S.playing = !S.playing;
  $("play").textContent = S.playing ? "❚❚" : "▶";
  began = performance.now(); from = S.at === LAST ? 0 : S.at;
  if (S.playing) requestAnimationFrame(tick);
}
function tick(now) {
  if (!S.playing) return;
  const i = (from + Math.max(0, Math.floor((now - began) / 1000 * D.fps[0] / D.fps[1]))) % D.frames.length;
  if (i !== S.at) go(i);
  requestAnimationFrame(tick);
}

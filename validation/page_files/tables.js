// The verdict on top, the parts, and the facts of the take.
const MOST_CHIPS = 16, MOST_LINKS = 4;

function makeHead() {
  const badge = $("verdict");
  badge.classList.add(D.verdict);
  badge.append(el("b", { "aria-hidden": "true" }, MARK[D.verdict]), WORD[D.verdict]);
  const judged = D.parts.length, held = D.parts.filter(p => p.verdict === "pass").length;
  const fact = label => (D.facts.find(f => f.label === label) || {}).says;
  $("about").textContent = [`Take ${D.take}`, `${held} of ${plural(judged, "part")} hold`, plural(D.frames.length, "frame"), fact("Look"), D.stage === "coarse" ? "quick look" : ""].filter(Boolean).join(" · ");
  $("next").append(...D.next.map(step => {
    const item = el("li", {}, step.do + (step.what.length ? ": " : "."));
    step.what.slice(0, MOST_LINKS).forEach(([words, id], k) => {
      const f = D.findings.find(one => one.id === id);
      item.append(k ? ", " : "", f ? el("button", { className: "link", onclick: () => show(f) }, words) : words);
    });
    if (step.what.length > MOST_LINKS) item.append(` and ${step.what.length - MOST_LINKS} more`);
    return item;
  }));
}
const ORDER = { fail: 0, review: 1, pass: 2 };
const sorted = () => [...D.parts].sort((a, b) => ORDER[a.verdict] - ORDER[b.verdict]);
function pick(name) {
  choosePart(name);
  const f = D.findings.find(one => one.part === name);
  if (f) show(f); else draw();
}
function makeChips() {
  const list = sorted();
  for (const p of list.slice(0, MOST_CHIPS)) $("parts").append(el("button", { className: `chip ${p.verdict}`, title: p.why, onclick: () => pick(p.name) }, mark(p.verdict), p.name));
  if (list.length > MOST_CHIPS) $("parts").append(el("button", { className: "chip", onclick: () => $("table").scrollIntoView() }, ` and ${list.length - MOST_CHIPS} more`));
}
function makeTable() {
  const body = $("table").querySelector("tbody");
  for (const p of sorted()) body.append(el("tr", { onclick: () => pick(p.name) }, el("td", {}, p.name),
    el("td", {}, mark(p.verdict), WORD[p.verdict]),
    el("td", {}, p.why, p.decidable_by ? el("span", { className: "soft" }, `Would tell: ${p.decidable_by}`) : "")));
  if (D.parts.length > 14) { const table = $("table").querySelector("table"), box = el("div", { className: "scroll" }); table.replaceWith(box); box.append(table); }
}
function makeFacts() {
  const list = $("facts").querySelector("dl");
  for (const fact of D.facts) {
    const says = el("dd", {}, fact.says);
    for (const ink of fact.colours || []) { const chip = el("i"); chip.style.background = ink; says.append(el("span", { className: "swatch" }, chip, ink)); }
    if (fact.label === "Timing" && D.sources.some((source, i) => source !== D.frames[i])) says.append(el("canvas", { id: "map", "aria-label": "Frame of the render by frame of the take" }));
    list.append(el("dt", {}, fact.label), says);
  }
}
// Frame of the render over frame of the take; the thin diagonal is where it should be.
function drawMap() {
  const canvas = $("map");
  if (!canvas) return;
  const [x, width, height] = sharp(canvas), all = [...D.frames, ...D.sources], low = all.reduce((a, b) => Math.min(a, b)), high = all.reduce((a, b) => Math.max(a, b));
  const X = v => 40 + (v - low) / (high - low || 1) * (width - 52), Y = v => height - 26 - (v - low) / (high - low || 1) * (height - 36);
  x.strokeStyle = colour("--line"); x.strokeRect(40, 10, width - 52, height - 36);
  x.setLineDash([4, 4]); x.strokeStyle = colour("--soft"); x.beginPath(); x.moveTo(X(low), Y(low)); x.lineTo(X(high), Y(high)); x.stroke(); x.setLineDash([]);
  x.strokeStyle = colour("--fail"); x.lineWidth = 2; x.beginPath();
  D.frames.forEach((frame, i) => x[i ? "lineTo" : "moveTo"](X(frame), Y(D.sources[i])));
  x.stroke();
  x.fillStyle = colour("--soft"); x.font = "11px system-ui,sans-serif"; x.textAlign = "right";
  x.fillText(high, 36, 18); x.fillText(low, 36, height - 26); x.textAlign = "center"; x.fillText("frame of the take", 40 + (width - 52) / 2, height - 8); x.fillText(low, 46, height - 12); x.fillText(high, width - 20, height - 12);
  x.save(); x.translate(10, height / 2 - 8); x.rotate(-Math.PI / 2); x.fillText("render", 0, 0); x.restore();
}
function makeFoot() {
  $("proxy").textContent = `Pictures reduced to ${D.width} pixels wide; the numbers come from the originals.`;
  $("foot").append(el("p", {}, [...D.notes, `Colours, light and style are free; that every part is there, in place, in shape and moving is not. Limits are set so that ${D.rate || "false findings are rare"}. Lengths are pixels of a picture 1920 wide.`].join(" ")));
}

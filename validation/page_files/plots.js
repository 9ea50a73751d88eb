// The measures of one part over time, each with its limit; what matters is open, the rest is folded.
const MATTERS = 0.6, AT_LEAST = 2, MOST_TABS = 8;
const PAD = { left: 40, right: 8, top: 6, bottom: 18 };
let plots = [];

function makeTabs() {
  const box = $("tabs"), withMeasures = D.parts.map(p => p.name).filter(name => D.signals.of[name]);
  if (withMeasures.length > MOST_TABS) {
    const list = el("select", { id: "tab", "aria-label": "Part", onchange: () => choosePart(list.value) });
    list.append(...D.parts.filter(p => D.signals.of[p.name]).map(p => el("option", { value: p.name }, `${MARK[p.verdict]} ${p.name}`)));
    box.append(list);
  } else for (const p of D.parts) if (D.signals.of[p.name]) box.append(el("button", { "data-part": p.name, onclick: () => choosePart(p.name) }, `${MARK[p.verdict]} ${p.name}`));
}
function choosePart(name) {
  if (!D.signals.of[name]) return;
  S.part = name;
  for (const button of $("tabs").querySelectorAll("button")) button.setAttribute("aria-pressed", button.dataset.part === name);
  if ($("tab")) $("tab").value = name;
  makePlots();
}
function makePlots() {
  const of = D.signals.of[S.part] || {}, said = new Set(D.findings.filter(f => f.part === S.part || f.others.includes(S.part)).map(f => f.kind));
  const kinds = Object.keys(D.signals.titles).filter(kind => of[kind]);
  const rank = kind => (said.has(kind) ? 1000 : 0) + of[kind].t, order = [...kinds].sort((a, b) => rank(b) - rank(a));
  const open = order.filter((kind, k) => said.has(kind) || of[kind].t >= MATTERS || k < AT_LEAST), folded = order.filter(kind => !open.includes(kind));
  const made = (kind, box) => makePlot(kind, of[kind], box, said.has(kind));
  $("plots").replaceChildren(); $("quiet").replaceChildren();
  plots = open.map(kind => made(kind, $("plots")));
  $("more").hidden = !folded.length;
  $("more").firstElementChild.textContent = `${plural(folded.length, "more measure")}, all well within ${folded.length === 1 ? "its limit" : "their limits"}`;
  $("more").ontoggle = () => {
    if ($("more").open && !$("quiet").childElementCount) { plots.push(...folded.map(kind => made(kind, $("quiet")))); drawPlots(); }
  };
  drawPlots();
  $("more").ontoggle();
}
function makePlot(kind, signal, box, said) {
  const over = signal.v.filter((v, k) => v !== null && v > limitAt(signal, k)).length;
  const says = (D.signals.says[`${kind} ${signal.u}`] || "") + (over && !said ? " Over its limit, but no finding: too short, or explained by another." : "");
  const readout = el("span"), canvas = el("canvas"), cursor = el("i"), area = el("div", { className: "box" }, canvas, cursor);
  box.append(el("div", { className: "plot", "data-kind": kind }, el("div", { className: "name" }, el("b", {}, D.signals.titles[kind]), readout), area, el("p", {}, says)));
  const plot = { kind, signal, canvas, cursor, readout, area, step: signal.s || 1 };
  // Pointing at the curve shows the frame; leaving goes back, unless it was clicked or the frame was changed meanwhile.
  const seek = e => { const box = area.getBoundingClientRect(); go(Math.floor((e.clientX - box.left - PAD.left) / (box.width - PAD.left - PAD.right) * D.frames.length)); };
  let before = null, pointed = null;
  area.onpointermove = e => { if (before === null) before = S.at; seek(e); pointed = S.at; };
  area.onpointerdown = e => { seek(e); before = pointed = S.at; };
  area.onpointerleave = () => { if (before !== null && S.at === pointed) go(before); before = null; };
  return plot;
}
function drawPlots() { for (const plot of plots) if (plot.canvas.clientWidth) drawPlot(plot); moveCursors(); }
const limitAt = (signal, k) => Array.isArray(signal.l) ? signal.l[k] : signal.l;

function drawPlot({ canvas, signal, kind, step }) {
  const [x, width, height] = sharp(canvas), values = signal.v, known = values.filter(v => v !== null), limits = Array.isArray(signal.l) ? signal.l.filter(v => v !== null) : [signal.l];
  const high = Math.max(...limits) * 1.5, top = 1.06 * known.reduce((a, b) => Math.max(a, b), high) || 1, low = known.reduce((a, b) => Math.min(a, b), 0);
  const room = width - PAD.left - PAD.right, tall = height - PAD.top - PAD.bottom;
  const X = i => PAD.left + (i + 0.5) / D.frames.length * room, Y = v => PAD.top + tall * (1 - (v - low) / (top - low));
  for (const f of D.findings) if (f.kind === kind && (f.part === S.part || f.others.includes(S.part))) {
    const [a, b] = positions(f), left = X(a - 0.5), long = X(b + 0.5) - left;
    x.fillStyle = colour("--shade"); x.fillRect(left, PAD.top, long, tall);
    hatched(x, left, PAD.top, long, tall, colour("--hatch"));
  }
  axes(x, { width, low, top, X, Y, limit: limits[0], unit: signal.u, tall });
  const line = (at, style, dash, thick) => {
    x.strokeStyle = style; x.lineWidth = thick; x.setLineDash(dash); x.lineJoin = "round"; x.beginPath();
    let pen = false;
    for (let k = 0; k < values.length; k++) { const v = at(k); if (v === null) { pen = false; continue; } x[pen ? "lineTo" : "moveTo"](X(k * step + (step - 1) / 2), Y(v)); pen = true; }
    x.stroke(); x.setLineDash([]);
  };
  line(k => limitAt(signal, k), colour("--fail"), [6, 4], 1.2);
  line(k => values[k], colour("--accent"), [], 1.7);
  x.fillStyle = colour("--fail");
  values.forEach((v, k) => { if (v !== null && v > limitAt(signal, k)) { x.beginPath(); x.arc(X(k * step + (step - 1) / 2), Y(v), 2.5, 0, 7); x.fill(); } });
}
function axes(x, { width, low, top, X, Y, limit, unit, tall }) {
  x.strokeStyle = colour("--line"); x.lineWidth = 1; x.strokeRect(PAD.left, PAD.top, width - PAD.left - PAD.right, tall);
  x.font = "11px system-ui,sans-serif"; x.textBaseline = "middle"; x.textAlign = "right"; x.fillStyle = colour("--soft");
  const text = v => unit === "share" ? `${Math.round(100 * v)} %` : v >= 100 ? v.toFixed(0) : `${+v.toPrecision(2)}`;
  for (const v of [low, limit, top / 1.06]) if (v === limit || Math.abs(Y(v) - Y(limit)) > 13) x.fillText(text(v), PAD.left - 4, clamp(Y(v), PAD.top + 6, PAD.top + tall - 4));
  x.textBaseline = "alphabetic"; x.textAlign = "center";
  const wanted = Math.max(2, Math.min(6, Math.floor(width / 80))), stride = Math.max(1, Math.round(LAST / wanted));
  for (let i = 0; i <= LAST; i += stride) x.fillText(D.frames[i], clamp(X(i), PAD.left + 8, width - PAD.right - 10), PAD.top + tall + 13);
}
function moveCursors() {
  for (const { area, cursor, readout, signal, step } of plots) {
    const k = Math.floor(S.at / step), room = area.clientWidth - PAD.left - PAD.right;
    cursor.style.transform = `translateX(${PAD.left + (S.at + 0.5) / D.frames.length * room}px)`;
    const v = signal.v[k], over = v !== null && v > limitAt(signal, k);
    readout.textContent = `${step > 1 ? "up to " : ""}${amount(v, signal.u)}${over ? " ▲ over" : ""} · limit ${amount(limitAt(signal, k), signal.u)}`;
  }
}

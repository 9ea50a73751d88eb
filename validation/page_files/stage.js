// The viewer: render and take compared, always with the same zoom and place on both sides.
const W = D.size[0], H = D.size[1];
const MODES = ["wipe", "onion", "difference", "side", "take"];
const MOST_ZOOM = 16, HANDLE = 26;
let wanted = 0;

// Draws at the next repaint, however often it is asked.
function draw() { if (!wanted) wanted = requestAnimationFrame(() => { wanted = 0; paint(); }); }

// The rectangles of the canvas in which a picture is shown: one, or two side by side.
function panels(width, height) {
  return S.mode === "side" ? [[0, 0, width / 2 - 2, height], [width / 2 + 2, 0, width / 2 - 2, height]] : [[0, 0, width, height]];
}
// Where the whole picture lies for a panel: left, top, width, height.
function rectangle([left, top, width, height]) {
  const scale = Math.min(width / W, height / H) * S.zoom, w = W * scale, h = H * scale;
  const along = (size, room, at) => size <= room ? (room - size) / 2 : clamp(room / 2 - at * size, room - size, 0);
  return [left + along(w, width, S.x), top + along(h, height, S.y), w, h];
}

// Where the take's picture lies so that it is on the render: its fit undone, but while the finding is about just that.
const fitted = () => D.fit && !(S.finding && S.finding.kind === "frame_fit");
function laid(panel, i) {
  const [left, top, w, h] = rectangle(panel);
  if (!fitted()) return [left, top, w, h];
  const [, right, down] = (D.fit.shake || []).find(one => one[0] === D.frames[i]) || [0, 0, 0], [sx, sy] = D.fit.scale, [dx, dy] = D.fit.offset_px;
  const from = (scale, shift) => 0.5 - (0.5 + shift) / scale;
  return [left + w * from(sx, (dx + right) / 1920), top + h * from(sy, (dy + down) / 1920 * W / H), w / sx, h / sy];
}

function paint() {
  const canvas = $("stage"), [x, width, height] = sharp(canvas), i = pictured(S.at);
  canvas.dataset.frame = D.frames[S.at];
  where(i);
  if (i < 0) return say(x, width / 2, height / 2, "This report has no pictures");
  const pair = load(i);
  loadAhead(i);
  if (!loaded(pair)) return pair.some(image => image.complete && !image.naturalWidth) ? say(x, width / 2, height / 2, "The folder frames/ is not beside this page") : undefined;
  const boxes = panels(width, height), show = (k, panel) => x.drawImage(pair[k], ...(k ? laid(panel, i) : rectangle(panel)));
  x.imageSmoothingQuality = "high";
  boxes.forEach((panel, k) => clipped(x, panel, () => {
    if (S.mode === "side") show(k, panel);
    else compare(x, panel, show);
    if (S.heat && (S.mode !== "side" || k === 1)) clipped(x, S.mode === "wipe" ? [S.wipe * width, 0, width, height] : panel, () => overlay(x, panel, i));
    if (S.outlines) expected(x, panel, i);
    if (S.mode !== "side" || k === 1) pointAt(x, panel);
  }));
  labels(x, width, height, boxes);
  canvas.dataset.drawn = D.frames[S.at];
}
function clipped(x, [left, top, width, height], action) {
  x.save(); x.beginPath(); x.rect(left, top, width, height); x.clip(); action(); x.restore();
}
function compare(x, panel, show) {
  if (S.mode === "take") return show(1, panel);
  show(0, panel);
  x.save();
  if (S.mode === "difference") x.globalCompositeOperation = "difference";
  if (S.mode === "onion") x.globalAlpha = S.mix;
  if (S.mode === "wipe") { x.beginPath(); x.rect(panel[0] + S.wipe * panel[2], panel[1], panel[2], panel[3]); x.clip(); x.fillStyle = "#0e1012"; x.fillRect(...panel); }
  show(1, panel);
  x.restore();
}
function overlay(x, panel, i) {
  const heat = heatAt(i);
  if (heat) x.drawImage(...heat, ...rectangle(panel));
}
// Outlines where the render has the parts; dashed and orange for a part that has a finding in this frame.
function expected(x, panel, i) {
  const [left, top, width, height] = rectangle(panel);
  const bad = new Set(D.findings.filter(f => covers(f, S.at)).flatMap(f => [f.part, ...f.others]));
  for (const { part, lines } of outlinesAt(i)) {
    if (S.hidden.has(part)) continue;
    const path = new Path2D();
    for (const q of lines) {
      for (let k = 0; k < q.length; k += 2) path[k ? "lineTo" : "moveTo"](left + q[k] * width, top + q[k + 1] * height);
      path.closePath();
    }
    for (const [thick, ink] of [[3.4, "rgba(10,12,16,.7)"], [1.5, bad.has(part) ? "#ff9a1f" : "rgba(240,244,248,.92)"]]) {
      x.lineWidth = thick; x.strokeStyle = ink; x.lineJoin = "round"; x.setLineDash(bad.has(part) ? [7, 4] : []);
      x.stroke(path);
    }
    x.setLineDash([]);
  }
}
// The box of the finding that is looked at, with corners that show on any picture.
function pointAt(x, panel) {
  const f = S.finding;
  if (!f || !f.where || !covers(f, S.at)) return;
  const [left, top, width, height] = rectangle(panel), [a, b, w, h] = f.where;
  const box = [left + a * width - 3, top + b * height - 3, w * width + 6, h * height + 6];
  for (const [thick, ink] of [[5, "rgba(10,12,16,.75)"], [2.2, "#ffe24a"]]) { x.lineWidth = thick; x.strokeStyle = ink; x.strokeRect(...box); }
  x.font = "600 12.5px system-ui,sans-serif";
  tag(x, "here", box[0], Math.max(panel[1] + 4, box[1] - 24));
}
function tag(x, text, left, top, right = false) {
  x.font = "600 13px system-ui,sans-serif"; x.textAlign = "left"; x.textBaseline = "middle";
  const width = x.measureText(text).width + 16, at = right ? left - width : left;
  x.fillStyle = "rgba(12,14,18,.76)"; x.beginPath(); x.roundRect(at, top, width, 23, 6); x.fill();
  x.fillStyle = "#fff"; x.fillText(text, at + 8, top + 12);
}
function say(x, left, top, text) { x.fillStyle = "#c9cdd3"; x.font = "14px system-ui,sans-serif"; x.textAlign = "center"; x.fillText(text, left, top); }
function labels(x, width, height, boxes) {
  const take = fitted() ? "take, laid on the render" : "take";
  if (S.mode === "wipe") {
    const at = S.wipe * width;
    x.fillStyle = "rgba(10,12,16,.55)"; x.fillRect(at - 2, 0, 4, height); x.fillStyle = "#fff"; x.fillRect(at - 1, 0, 2, height);
    x.beginPath(); x.arc(at, height / 2, 14, 0, 7); x.fill();
    x.fillStyle = "#22262b"; x.font = "700 15px system-ui"; x.textAlign = "center"; x.textBaseline = "middle"; x.fillText("↔", at, height / 2 + 1);
    if (at > 74) tag(x, "render", 9, 9);
    if (at < width - (fitted() ? 190 : 62)) tag(x, take, width - 9, 9, true);
  } else if (S.mode === "side") boxes.forEach((panel, k) => tag(x, ["render", take][k], panel[0] + 9, 9));
  else tag(x, { onion: `take over render, ${Math.round(100 * S.mix)} %`, difference: "difference", take }[S.mode], 9, 9);
  if (S.heat) legend(x, width, height, D.heat && D.heat.shown[S.at]);
}
function legend(x, width, height, any) {
  if (!any) return tag(x, D.heat ? "nothing comes near its limit in this frame" : "this report has no heat map", width - 9, height - 32, true);
  const ramp = x.createLinearGradient(width - 129, 0, width - 9, 0);
  [[0, "#440154"], [0.35, "#b4286e"], [0.7, "#fa8c1e"], [1, "#fcffa4"]].forEach(([at, ink]) => ramp.addColorStop(at, ink));
  tag(x, "half its limit – twice its limit", width - 9, height - 44, true);
  x.fillStyle = ramp; x.fillRect(width - 129, height - 17, 120, 8);
}
function where(i) {
  const frame = D.frames[S.at], source = D.sources[S.at];
  const notes = [source !== frame ? `shows ${source}` : "", i >= 0 && i !== S.at ? `picture of ${D.frames[i]}` : ""].filter(Boolean);
  $("where").textContent = `Frame ${frame}` + (notes.length ? ` (${notes.join(", ")})` : "");
  $("zoom").textContent = `${Math.round(100 * S.zoom)} %`;
  $("zoom").disabled = S.zoom === 1;
}

function setMode(mode) {
  S.mode = mode;
  for (const button of document.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", button.dataset.mode === mode);
  $("mixing").style.visibility = mode === "onion" ? "visible" : "hidden";
  draw();
}
// Zooms so that what lies under (px, py) of the canvas stays there.
function zoomAt(factor, px, py) {
  const canvas = $("stage"), all = panels(canvas.clientWidth, canvas.clientHeight);
  const panel = all.find(p => px >= p[0] && px <= p[0] + p[2]) || all[0], [left, top, width, height] = rectangle(panel);
  const u = (px - left) / width, v = (py - top) / height, before = S.zoom;
  S.zoom = clamp(S.zoom * factor, 1, MOST_ZOOM);
  if (S.zoom < 1.02) S.zoom = 1;
  const grown = S.zoom / before;
  centre(u + (panel[0] + panel[2] / 2 - px) / (width * grown), v + (panel[1] + panel[3] / 2 - py) / (height * grown));
}
// Looks at a place of the picture, so far that no empty border comes in.
function centre(u, v) {
  const canvas = $("stage"), panel = panels(canvas.clientWidth, canvas.clientHeight)[0], [, , width, height] = rectangle(panel);
  const within = (at, room, size) => size <= room ? 0.5 : clamp(at, room / 2 / size, 1 - room / 2 / size);
  S.x = within(u, panel[2], width); S.y = within(v, panel[3], height);
  draw();
}
function whole() { S.zoom = 1; S.x = S.y = 0.5; draw(); }
// Close to the finding, or to the chosen part; a second time back to the whole picture.
function closeUp() {
  const box = S.finding && S.finding.where || boxOf(S.finding && S.finding.part || S.part, pictured(S.at));
  if (S.zoom > 1 || !box) return whole();
  S.zoom = clamp(0.6 / Math.max(box[2], box[3], 0.04), 1, 10);
  centre(box[0] + box[2] / 2, box[1] + box[3] / 2);
}

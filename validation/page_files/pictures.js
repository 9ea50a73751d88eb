// Pictures and outlines by frame: decoded when needed, a few ahead, the longest unused let go.
const MOST_KEPT = 160, AHEAD = 4;
const kept = new Map();
const withPicture = Object.keys(D.pictures).map(Number).sort((a, b) => a - b);

// The position itself, or the nearest that has a picture; -1 if none has.
function pictured(i) {
  if (D.pictures[i] || !withPicture.length) return D.pictures[i] ? i : -1;
  return withPicture.reduce((best, k) => Math.abs(k - i) < Math.abs(best - i) ? k : best);
}
function load(i) {
  if (!kept.has(i)) {
    const pair = D.pictures[i].map(address => {
      const image = new Image();
      image.onload = image.onerror = () => { if (pictured(S.at) === i) draw(); };
      image.src = address;
      return image;
    });
    kept.set(i, pair);
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  } else { const pair = kept.get(i); kept.delete(i); kept.set(i, pair); }
  return kept.get(i);
}
const loaded = pair => pair.every(image => image.complete && image.naturalWidth);
function loadAhead(i) {
  for (let k = 1; k <= AHEAD; k++) for (const near of [i + k, i - k]) if (D.pictures[near]) load(near);
}

const DIGIT = new Map([..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].map((c, i) => [c, i]));
const unpacked = new Map();
// Polygons of a part at a position as arrays x, y, x, y ... in 0..1 of the picture.
function outlinesAt(i) {
  if (!unpacked.has(i)) {
    const found = [];
    for (const [which, text] of Object.entries(D.outlines[i] || {})) {
      const lines = text.split(" ").filter(Boolean).map(packed => {
        const line = new Float32Array(packed.length / 2);
        for (let k = 0; k < line.length; k++) line[k] = (64 * DIGIT.get(packed[2 * k]) + DIGIT.get(packed[2 * k + 1])) / 4095;
        return line;
      });
      found.push({ part: D.names[which], lines });
    }
    if (unpacked.size > 400) unpacked.clear();
    unpacked.set(i, found);
  }
  return unpacked.get(i);
}
// x, y, w, h in 0..1 around a part at a position, or null.
function boxOf(part, i) {
  const found = outlinesAt(i).find(one => one.part === part);
  if (!found) return null;
  let box = [1, 1, 0, 0];
  for (const q of found.lines) for (let k = 0; k < q.length; k += 2) box = [Math.min(box[0], q[k]), Math.min(box[1], q[k + 1]), Math.max(box[2], q[k]), Math.max(box[3], q[k + 1])];
  return [box[0], box[1], box[2] - box[0], box[3] - box[1]];
}

const strips = D.heat ? D.heat.strips.map(address => {
  if (!address) return null;
  const image = new Image();
  image.onload = () => draw();
  image.src = address;
  return image;
}) : [];
function heatAt(i) {
  const strip = D.heat && D.heat.shown[i] ? strips[Math.floor(i / D.heat.per)] : null;
  return strip && strip.complete ? [strip, 0, (i % D.heat.per) * D.heat.rows, D.heat.columns, D.heat.rows] : null;
}

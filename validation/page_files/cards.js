// Findings as cards, with the filters over them.
const shown = () => D.findings.filter(f => (!S.filter.part || (S.filter.part === "the picture" ? !f.part : f.part === S.filter.part || f.others.includes(S.filter.part)))
  && (!S.filter.kind || f.kind === S.filter.kind) && (!S.filter.severity || f.severity === S.filter.severity));

function makeFilters() {
  const options = {
    part: [...new Set(D.findings.map(f => f.part || "the picture"))].map(name => [name, name]),
    kind: [...new Map(D.findings.map(f => [f.kind, f.title]))],
    severity: [...new Set(D.findings.map(f => f.severity))].map(word => [word, word]),
  };
  const every = { part: "all parts", kind: "all kinds", severity: "any" };
  for (const [name, list] of Object.entries(options)) {
    const box = $("by-" + name);
    box.hidden = list.length < 2;
    box.append(el("option", { value: "", textContent: every[name] }), ...list.map(([value, text]) => el("option", { value, textContent: text })));
    box.onchange = () => { S.filter[name] = box.value; showCards(); };
  }
}
function showCards() {
  const list = shown(), all = D.findings.length;
  $("count").textContent = !all ? "Findings" : list.length === all ? plural(all, "finding") : `${list.length} of ${plural(all, "finding")}`;
  for (const card of document.querySelectorAll(".card[data-finding]")) card.hidden = !list.some(f => f.id === card.dataset.finding);
  $("nothing").hidden = !all || list.length > 0;
}
function makeCards() {
  if (!D.findings.length) $("findings").append(nothing(D.verdict === "review" ? "No fault found, but not everything could be judged." : "Every part is there, in place, in shape and in colour."));
  $("findings").append(...D.findings.map(card), ...D.parts.filter(p => p.verdict === "review" && !D.findings.some(f => f.part === p.name || f.others.includes(p.name))).map(undecided));
  const none = el("div", { className: "none", id: "nothing" }, "No finding like that.");
  $("findings").append(none);
  makeFilters(); showCards();
}
const nothing = text => el("div", { className: "none" }, el("b", { className: `m ${D.verdict}`, textContent: MARK[D.verdict] }), text);

// A part that could not be judged, with what would make it decidable.
function undecided(p) {
  const made = el("article", { className: "card review", tabindex: 0, onclick: () => pick(p.name) }, el("div", { className: "top" }, mark("review"), el("b", {}, p.name), el("span", { className: "at" }, WORD.review)), el("p", {}, p.why));
  if (p.decidable_by) made.append(el("p", { className: "todo" }, `Would tell: ${p.decidable_by}`));
  made.onkeydown = e => { if (e.key === "Enter") pick(p.name); };
  return made;
}
function card(f) {
  const made = el("article", { className: `card ${f.severity}`, "data-finding": f.id, tabindex: 0, role: "button", title: `Show frame ${f.worst}` });
  if (f.picture) made.append(
    el("div", { className: "pair", "aria-hidden": "true" }, el("span", {}, "render"), el("span", {}, `take, frame ${f.worst}`)),
    el("img", { src: f.picture, width: f.pixels[0], height: f.pixels[1], alt: `Render and take of ${title(f)} at frame ${f.worst}` }));
  made.append(el("div", { className: "top" }, el("b", {}, title(f)),
    el("span", { className: `tag ${f.severity}` }, `${{ major: "▲", minor: "△" }[f.severity] || "?"} ${f.severity}`), el("span", { className: "at" }, span(f.frames))));
  made.append(el("p", {}, f.says));
  if (f.limit > 0) made.append(...meter(f));
  made.append(el("p", { className: "todo" }, f.suggestion));
  if (f.also.length) made.append(el("p", { className: "also" }, "Also explains: " + f.also.join("; ")));
  made.onclick = () => { show(f); if (innerWidth <= 1080) $("viewer").scrollIntoView({ block: "start" }); };
  made.onkeydown = e => { if (e.key === "Enter") { e.preventDefault(); show(f); } };
  return made;
}
function meter(f) {
  const full = Math.max(f.value, f.limit) * 1.12, box = el("div", { className: "meter", "aria-hidden": "true" }), bar = el("i"), line = el("u");
  bar.style.width = `${100 * clamp(f.value / full, 0, 1)}%`; line.style.left = `${100 * clamp(f.limit / full, 0, 1)}%`;
  box.append(bar, line);
  const size = f.mm ? ` (${number(f.mm)} mm)` : "";
  return [box, el("div", { className: "num" }, el("span", {}, `${f.measure} ${amount(f.value, f.unit)}${size}`), el("span", {}, `limit ${amount(f.limit, f.unit)} · ${f.severity === "unsure" ? "not sure" : `${Math.round(100 * f.confidence)} % sure`}`))];
}
function hop(step) {
  const list = shown();
  if (!list.length) return;
  const at = list.indexOf(S.finding), next = at < 0 ? (step > 0 ? 0 : list.length - 1) : (at + step + list.length) % list.length;
  show(list[next]);
  document.querySelector(".card.on").scrollIntoView({ block: "nearest" });
}

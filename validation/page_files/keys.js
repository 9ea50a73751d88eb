// Buttons, keys and the pointer; then everything is put on the page.
const KEYS = [
  [["←", "→"], "one frame"], [["Shift", "← →"], "ten frames"], [["Home", "End"], "first, last frame"], [["Space"], "play"],
  [["n", "p"], "next, previous finding, at its worst frame"], [["1", "2", "3", "4", "5"], "wipe, onion, difference, side by side, take"],
  [["o"], "outlines"], [["h"], "heat map"], [["z"], "close to the part, and back"], [["f"], "whole picture"], [["?"], "this list"],
];
function toggle(name) { S[name] = !S[name]; $(name).setAttribute("aria-pressed", S[name]); draw(); }
function help() {
  const box = $("keys");
  if (box.open) return box.close();
  if (!box.childElementCount) {
    const list = el("dl");
    for (const [keys, says] of KEYS) list.append(el("dt", {}, ...keys.map(key => el("kbd", {}, key))), el("dd", {}, says));
    box.append(el("h2", {}, "Keys"), list, el("p", { className: "soft" }, "Wheel zooms, dragging moves, a double click goes close or back."));
    box.onclick = () => box.close();
  }
  box.showModal();
}
function choices() {
  const box = $("chooser"), open = box.hidden;
  box.hidden = !open; $("which").setAttribute("aria-expanded", open);
  if (!open || box.childElementCount) return;
  const all = checked => () => { D.names.forEach(name => checked ? S.hidden.delete(name) : S.hidden.add(name)); box.querySelectorAll("input").forEach(input => { input.checked = checked; }); draw(); };
  box.append(el("div", {}, el("button", { onclick: all(true) }, "All"), el("button", { onclick: all(false) }, "None")));
  for (const name of D.names) {
    const input = el("input", { type: "checkbox", onchange: () => { S.hidden[input.checked ? "delete" : "add"](name); draw(); } });
    input.checked = !S.hidden.has(name);
    box.append(el("label", {}, input, " ", name));
  }
}
let pulling = "", lastScroll = 0, lastPoint = [0, 0];
function wirePointer() {
  const stage = $("stage"), wipeTo = e => { S.wipe = clamp(e.offsetX / stage.clientWidth, 0, 1); draw(); };
  const onHandle = e => Math.abs(e.offsetX - S.wipe * stage.clientWidth) < HANDLE;
  stage.onpointerdown = e => {
    pulling = S.mode === "wipe" && (S.zoom === 1 || onHandle(e)) ? "wipe" : "place"; lastPoint = [e.offsetX, e.offsetY];
    stage.setPointerCapture(e.pointerId);
    if (pulling === "wipe") wipeTo(e);
  };
  stage.onpointermove = e => {
    if (!e.buttons) { stage.style.cursor = S.mode === "wipe" && (S.zoom === 1 || onHandle(e)) ? "ew-resize" : S.zoom > 1 ? "grab" : "default"; return; }
    if (pulling === "wipe") return wipeTo(e);
    const [, , width, height] = rectangle(panels(stage.clientWidth, stage.clientHeight)[0]);
    if (S.zoom > 1) centre(S.x - (e.offsetX - lastPoint[0]) / width, S.y - (e.offsetY - lastPoint[1]) / height);
    lastPoint = [e.offsetX, e.offsetY];
  };
  stage.ondblclick = closeUp;
  addEventListener("scroll", () => { lastScroll = performance.now(); }, { passive: true });
  stage.addEventListener("wheel", e => {
    const passing = performance.now() - lastScroll < 250, out = e.deltaY > 0 && S.zoom === 1;
    if (!e.ctrlKey && (passing || out)) return; // the page is being scrolled past
    e.preventDefault();
    zoomAt(Math.exp(-clamp(e.deltaY, -120, 120) / 260), e.offsetX, e.offsetY);
  }, { passive: false });
}
function wireKeys() {
  const by = e => e.shiftKey ? 10 : 1;
  const keys = {
    ArrowLeft: e => go(S.at - by(e)), ArrowRight: e => go(S.at + by(e)), Home: () => go(0), End: () => go(LAST), " ": play,
    n: () => hop(1), p: () => hop(-1), o: () => toggle("outlines"), h: () => toggle("heat"), z: closeUp, f: whole, "?": help,
  };
  MODES.forEach((mode, k) => { keys[k + 1] = () => setMode(mode); });
  addEventListener("keydown", e => {
    const within = e.target instanceof Element ? e.target.tagName : "";
    if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key] || within === "SELECT" || (e.key === " " && (within === "BUTTON" || within === "SUMMARY"))) return;
    if ($("keys").open && e.key !== "?") return;
    e.preventDefault();
    keys[e.key](e);
  });
}
function wire() {
  for (const button of document.querySelectorAll("[data-mode]")) button.onclick = () => setMode(button.dataset.mode);
  $("outlines").onclick = () => toggle("outlines"); $("heat").onclick = () => toggle("heat"); $("heat").hidden = !D.heat;
  $("which").onclick = choices; $("help").onclick = help; $("zoom").onclick = whole;
  $("back").onclick = () => go(S.at - 1); $("on").onclick = () => go(S.at + 1); $("play").onclick = play;
  if (D.sources.some((source, i) => source !== D.frames[i])) $("where").style.minWidth = "12.5em";
  $("slider").max = LAST; $("slider").oninput = e => go(+e.target.value);
  $("mix").oninput = e => { S.mix = e.target.value / 100; draw(); };
  wirePointer(); wireKeys();
  const again = () => { draw(); drawLanes(); drawPlots(); drawMap(); };
  new ResizeObserver(again).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}
document.documentElement.style.setProperty("--shape", `${W} / ${H}`);
makeHead(); makeChips(); makeCards(); makeLanes(); makeTabs(); makeTable(); makeFacts(); makeFoot();
wire(); setMode("wipe");
choosePart((D.parts.find(p => p.verdict === "fail") || D.parts[0] || {}).name);
if (D.findings.length) show(D.findings[0]); else go(0);
document.body.classList.add("ready");

// The page of `limner studio`: what is chosen goes to the server, whose state comes back by `events`.

import { CLOSED, fault, send } from "./asking.js";
import { brushing } from "./brushing.js";
import { boxed, chosen, form, suit, templates, wrong } from "./options.js";

const $ = (id) => document.getElementById(id);
const KINDS = ["png", "jpg", "webp", "svg", "film.svg", "plot.svg", "psd", "json", "film.webp", "gif", "mp4", "webm"];
const PLAYING = 6; // seconds
const ELSEWHERE = 64; // of 255: what a place matters that is not brushed over, where others are
const BETWEEN = 300; // milliseconds between two looks at a painting that grows

let state = { picture: null, working: "", paintings: 0, brushes: [], strokes: 0, version: -1 };
let playing = 0;
let comparing = false;
const mask = brushing($("brushed"), $("radius"), changed);

// ---- what is chosen

function brushed() {
  return $("brushing").checked && !mask.empty();
}

/** What is chosen, and what is brushed over: where it matters, or, of `further`, what to repaint. */
function wanted(further = {}) {
  const asked = { ...chosen(), ...further };
  if (asked.resume) asked.templates = templates(); // else they would be those that were used before
  if (asked.resume) delete asked.background;
  if (brushed() && !asked.repaint) asked.importance = true;
  return asked;
}

// ---- asking the server

let asks = 0;

/** Show the command line of what is chosen, or what is wrong with it; of what was chosen before, an answer is late. */
async function ask() {
  const line = $("command");
  const number = ++asks;
  const show = (words, fine) => {
    if (number !== asks) return;
    if (!fine && words.includes("is no colour")) form.inks.setCustomValidity(words);
    line.textContent = words;
    line.classList.toggle("wrong", !fine);
    $("copy").textContent = "Copy";
    $("copy").disabled = !fine;
  };
  const words = wrong();
  if (words) return show(words, false);
  const read = (answer) => answer.json().then((command) => show(command, true));
  await send("command", JSON.stringify(wanted()), read, (words) => {
    if (words) show(words, false);
  });
}

async function paint(further) {
  if (!form.reportValidity()) return;
  const asked = wanted(further);
  if (asked.importance && (await send("mask", await mask.picture(ELSEWHERE))) === undefined) return;
  if (asked.repaint && (await send("mask", await mask.picture(0))) === undefined) return;
  await send("paint", JSON.stringify(asked));
}

async function open(file) {
  const lost = state.unsaved && !/\.json$/i.test(file?.name); // strokes are added to what there is
  if (!file || (lost && !confirm("The painting is not saved. Open another picture?"))) return;
  await send(`photo?name=${encodeURIComponent(file.name || "pasted.png")}`, file);
}

function drop(files) {
  if (files.length === 1) open(files[0]);
  else fault("Drop one picture, as a file.");
}

async function add(file) {
  if (file && (await send(`brush?name=${encodeURIComponent(file.name)}`, file)) !== undefined) {
    const box = boxed(file.name);
    box.checked = true;
    suit(box);
    ask();
  }
}

function changed() {
  show(); // all brushes
  ask();
}

/** Brush over what is light in a file. */
async function cover(file) {
  if (!file || !state.picture) return fault(file ? "Open a picture first, and then its mask." : "");
  const image = await createImageBitmap(file).catch(() => null);
  if (!image) return fault(`${file.name}: is no picture that this browser reads.`);
  if (!mask.fits(image)) {
    const [mine, its] = [image, state.picture].map(({ width, height }) => `${width} × ${height}`);
    return fault(`${file.name}: is ${mine} pixels, the picture ${its}: they must have the same proportions.`);
  }
  if (!mask.load(image, ELSEWHERE)) {
    return fault(`${file.name}: is dark everywhere: make it white where it should count.`);
  }
  fault("");
  $("brushing").checked = true;
  changed();
}

/** Have the browser save the painting as a file of a kind. */
async function save(kind, button) {
  if (button.ariaBusy === "true" || !$("size").reportValidity()) return;
  button.ariaBusy = "true";
  const size = $("size").value && kind !== "json" ? `?size=${$("size").value}` : "";
  const file = await send(`save/${kind}${size}`, "", (answer) => answer.blob());
  button.ariaBusy = "false";
  if (file === undefined) return;
  download(file, `${state.picture.name.replace(/\.[^.]*$/, "")}-painted.${kind}`);
}

function download(file, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// ---- what is shown

function show() {
  const { picture, working, paintings } = state;
  const busy = working !== "";
  const done = !busy && paintings > 0;
  $("hint").hidden = picture !== null;
  $("paint").disabled = !picture;
  $("paint").textContent = busy ? "Stop" : paintings ? "Paint anew" : "Paint";
  $("paint").type = busy ? "button" : "submit"; // so that Enter in an option stops nothing
  if (!done && $("further").contains(document.activeElement)) $("paint").focus();
  $("further").hidden = !done;
  $("repaint").disabled = !brushed();
  $("brushed").classList.toggle("on", $("brushing").checked);
  for (const id of ["clear", "keep"]) $(id).disabled = mask.empty();
  $("brushing").disabled = !picture || busy;
  $("compare").disabled = !paintings && !busy;
  for (const id of ["play", "upto"]) $(id).disabled = !done;
  for (const button of $("saves").children) button.disabled = !done;
  $("progress").value = busy ? state.done : 0;
  const score = !state.strokes ? "" : state.psnr === null ? ", exact" : `, ${state.psnr.toFixed(1)} dB`;
  const counted = `${state.strokes} stroke${state.strokes === 1 ? "" : "s"}${score}`;
  say(
    working === "compiling" ? "compiling for this machine, the first time"
    : busy || paintings ? counted
    : picture ? `${picture.name}, ${picture.width} × ${picture.height}` : "",
  );
  if (busy || Number($("upto").max) !== state.strokes) {
    playing = 0;
    $("upto").max = state.strokes; // which bounds its value
    $("upto").value = state.strokes;
  }
  state.brushes.forEach(boxed);
  look();
}

/** Say what there is, for screen readers only once it does not change all the time. */
function say(words) {
  $("told").ariaLive = state.working === "painting" ? "off" : "polite";
  if ($("told").textContent !== words) $("told").textContent = words;
}

let looking = false;
let seen = "";

/** Load what is to be seen, one picture after the other, the newest next. */
async function look() {
  if (looking || !state.picture) return;
  looking = true;
  while (sight() !== seen) {
    const next = sight();
    const image = Object.assign(new Image(), { id: "shown", alt: state.picture.name, src: next, draggable: false });
    try {
      await image.decode();
    } catch {
      break;
    }
    seen = next;
    $("shown").replaceWith(image);
    fit(image);
    if (state.working) await new Promise((resolve) => setTimeout(resolve, BETWEEN));
  }
  looking = false;
}

/** The address of what is to be seen now. */
function sight() {
  const side = Math.min(2048, Math.ceil(Math.max($("stage").clientWidth, $("stage").clientHeight) * devicePixelRatio));
  if (comparing) return `photo?size=${side}&number=${state.number}`;
  const some = !state.working && Number($("upto").value) < state.strokes ? `&strokes=${$("upto").value}` : "";
  return `look?size=${state.working ? Math.min(side, 768) : side}&look=${state.look}${some}`;
}

/** Give a picture, and what is brushed over it, as much room as there is. */
function fit(image) {
  const { width, height } = state.picture;
  const scale = Math.min($("stage").clientWidth / width, $("stage").clientHeight / height);
  for (const each of [image, $("brushed")]) {
    each.style.width = `${width * scale}px`;
    each.style.height = `${height * scale}px`;
  }
  $("brushed").hidden = false;
}

function play() {
  playing = playing ? 0 : performance.now();
  const began = playing;
  const step = (now) => {
    if (playing !== began || !began) return;
    const share = Math.min(1, (now - began) / 1000 / PLAYING);
    $("upto").value = Math.round(state.strokes * share ** 2);
    look();
    if (share < 1) requestAnimationFrame(step);
    else playing = 0;
  };
  if (playing) requestAnimationFrame(step);
}

function compare(on) {
  comparing = on && Boolean(state.picture);
  look();
}

// ---- who listens to what

let events = null;

/** Hear of what happens, unless nobody is looking: a browser keeps few connections to a server. */
function listen() {
  events?.close();
  events = null;
  if (document.hidden) return;
  events = new EventSource("events");
  events.onmessage = (event) => {
    const before = state;
    state = JSON.parse(event.data);
    if (state.picture) mask.size(state.picture.width, state.picture.height);
    if (state.number !== before.number) mask.clear();
    if (state.fault !== before.fault) fault(state.fault);
    show();
  };
  events.onerror = () => fault(CLOSED);
  events.onopen = () => fault("");
}

listen();
document.addEventListener("visibilitychange", listen);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!state.working) paint();
});
$("paint").addEventListener("click", (event) => {
  if (event.detail > 1) event.preventDefault(); // a double click is one
  else if (state.working) send("stop");
});
form.addEventListener("input", (event) => {
  suit(event.target);
  ask();
});
for (const [id, take] of [["open", open], ["brush", add], ["cover", cover]]) {
  $(id).addEventListener("change", async (event) => {
    await take(event.target.files[0]);
    event.target.value = ""; // so that the same file may be taken again
  });
}
$("add").addEventListener("click", () => paint({ resume: true }));
$("repaint").addEventListener("click", () => paint({ resume: true, repaint: true }));
$("back").addEventListener("click", () => send("back"));
$("play").addEventListener("click", play);
$("upto").addEventListener("input", () => ((playing = 0), look()));
$("clear").addEventListener("click", () => mask.clear());
$("keep").addEventListener("click", async () => download(await mask.picture(ELSEWHERE), "mask.png"));
$("brushing").addEventListener("change", show);
$("copy").addEventListener("click", async () => {
  const copied = navigator.clipboard.writeText($("command").textContent);
  $("copy").textContent = await copied.then(() => "Copied", () => "Not allowed");
});
$("compare").addEventListener("pointerdown", () => compare(true));
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => compare(false));
addEventListener("click", (event) => event.detail && event.target.closest("button")?.blur()); // for the space bar
const typing = () => document.activeElement?.matches("input:not([type=range]), select, summary, button:not(#compare)");
for (const name of ["keydown", "keyup"]) {
  addEventListener(name, (event) => {
    if (event.code !== "Space" || typing()) return;
    event.preventDefault();
    compare(name === "keydown");
  });
}
new ResizeObserver(() => state.picture && (fit($("shown")), look())).observe($("stage"));
addEventListener("paste", (event) => open(event.clipboardData.files[0]));
for (const name of ["dragover", "dragleave", "drop"]) {
  addEventListener(name, (event) => {
    event.preventDefault();
    $("stage").classList.toggle("over", name === "dragover");
    if (name === "drop") drop(event.dataTransfer.files);
  });
}
for (const kind of KINDS) {
  const textContent = kind.replace(".", " ").toUpperCase();
  const button = Object.assign(document.createElement("button"), { textContent, type: "button" });
  button.addEventListener("click", () => save(kind, button));
  $("saves").append(button);
}

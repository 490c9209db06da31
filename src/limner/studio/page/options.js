// What is chosen in the form, as the options of `limner paint`.

const $ = (id) => document.getElementById(id);
const KEPT = "options"; // in the browser, until the tab is closed
export const form = $("options");
const STYLES = await (await fetch("styles.json")).json();
const SHARES = ["min_size", "max_size", "pen"];
const SWITCHES = ["keep_proportions", "upright", "keep_angles"];
const LOOKS = ["templates", "opacity", "fill", "palette", "background", ...SHARES, ...SWITCHES];
const fields = () => [...form.querySelectorAll("input:not([type=file]):not(#brushing), select")];
const called = (field) => field.name || field.id || field.value;
const holds = (field) => (field.type === "checkbox" ? "checked" : "value");

const boxes = () => [...$("templates").querySelectorAll("input[type=checkbox]")];

/** The brushes. */
export function templates() {
  const brushes = boxes().flatMap((box) => (box.checked ? [box.value] : []));
  const letters = form.letters.value.trim();
  return letters ? [...brushes, `letters:${letters}`] : brushes;
}

/** The options of `limner paint` that differ from its own, as the server's `asked.KINDS` has them. */
export function chosen() {
  const asked = form.strokes.value ? { strokes: form.strokes.valueAsNumber } : {};
  if (templates().join() !== "circle") asked.templates = templates();
  for (const name of ["opacity", "fill"]) if (form[name].selectedIndex) asked[name] = form[name].value;
  const inks = form.palette.value === "named" && form.inks.value.split(",").map((ink) => ink.trim());
  if (form.palette.value) asked.palette = inks || Number(form.palette.value);
  if ($("ground").value !== "auto") asked.background = $("ground").value || $("colour").value;
  for (const name of SHARES) {
    if (form[name].value) asked[name] = Number((form[name].valueAsNumber / 100).toPrecision(6));
  }
  for (const name of SWITCHES) if (form[name].checked) asked[name] = true;
  if (form.stop_psnr.value) asked.stop_psnr = form.stop_psnr.valueAsNumber;
  if (form.seed.valueAsNumber) asked.seed = form.seed.valueAsNumber;
  return asked;
}

const looks = () => LOOKS.map((name) => `${name} ${chosen()[name]}`).join();
let styled; // what was chosen by a style

/** Choose what a style is made of, and of other looks what is usual. */
function adopt({ strokes, templates = [], palette = "", ...style }) {
  form.strokes.value = strokes;
  for (const box of boxes()) box.checked = templates.includes(box.value);
  if (!templates.length) boxed(style.pen ? "line" : "circle").checked = true;
  form.letters.value = "";
  form.inks.value = Number(palette) ? "" : palette;
  form.palette.value = form.inks.value ? "named" : palette;
  $("ground").value = "auto";
  for (const name of ["opacity", "fill"]) form[name].value = style[name] ?? form[name].options[0].value;
  for (const name of SHARES) form[name].value = style[name] ? Number((style[name] * 100).toPrecision(6)) : "";
  for (const name of SWITCHES) form[name].checked = Boolean(style[name]);
}

let kept = {};

/** Have them chosen still once the page is loaded again, and brushes of one's own, which are not there yet then. */
function keep() {
  for (const field of fields()) kept[called(field)] = field[holds(field)];
  stored((storage) => storage.setItem(KEPT, JSON.stringify(kept)));
}

function restore() {
  stored((storage) => (kept = JSON.parse(storage.getItem(KEPT) ?? "{}")));
  for (const field of fields()) if (called(field) in kept) field[holds(field)] = kept[called(field)];
}

function stored(use) {
  try {
    use(sessionStorage);
  } catch {
    // for browsers that are told to keep nothing have none
  }
}

/** What is wrong with the first option that is, as far as a browser knows; each says so itself. */
export function wrong() {
  boxed("circle").setCustomValidity(templates().length ? "" : "Choose a brush.");
  form.min_size.max = form.max_size.value || 100;
  const nameless = form.palette.value === "named" && !form.inks.value.trim();
  form.inks.setCustomValidity(nameless ? "Name colours, with commas between them." : "");
  const input = form.querySelector("input:invalid");
  return input ? `${input.labels[0].textContent.trim()}: ${input.validationMessage}` : "";
}

/** The box of a brush, which is made where there is none. */
export function boxed(name) {
  const found = boxes().find((box) => box.value === name);
  if (found) return found;
  const label = document.createElement("label");
  const checked = kept[name] ?? false;
  const box = Object.assign(document.createElement("input"), { type: "checkbox", value: name, checked });
  label.append(box, name);
  $("templates").insertBefore(label, $("brush").parentElement);
  return box;
}

/** Have what belongs to an option suit it, once it has been changed. */
export function suit(changed) {
  if (changed.id === "style" && changed.value) {
    adopt(STYLES[changed.value]);
    styled = looks();
  }
  if (looks() !== styled) $("style").value = "";
  if (changed.id === "many") form.strokes.value = Math.round(10 ** (1 + changed.value * 0.03));
  if (changed.name === "pen" && changed.value && templates().join() === "circle") {
    boxed("circle").checked = false;
    boxed("line").checked = true;
  }
  if (changed.name === "letters" && templates().length === 2) boxed("circle").checked = false;
  if (changed.id !== "many") $("many").value = (Math.log10(form.strokes.value || 1) - 1) / 0.03;
  $("many").ariaValueText = form.strokes.value;
  $("coloured").hidden = $("ground").value !== "";
  $("named").hidden = form.palette.value !== "named";
  keep();
}

form.addEventListener("invalid", (event) => event.target.closest("details")?.setAttribute("open", ""), true);
for (const style of Object.keys(STYLES)) $("style").add(new Option(style));
restore();
styled = looks();
suit(form.strokes);

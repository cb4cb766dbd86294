// Small helpers of the pages: local times, keyboard, selection, confirmation, copy, chart. Pages work without them.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const typing = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

// Times: absolute ones in the reader's zone, with UTC on hover.
const language = document.documentElement.lang;
const reader = navigator.languages.find((each) => each.startsWith(language)) ?? language;
const local = new Intl.DateTimeFormat(reader, { dateStyle: "medium", timeStyle: "medium" });
const short = new Intl.DateTimeFormat(reader, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const clock = new Intl.DateTimeFormat(reader, { hour: "2-digit", minute: "2-digit" });
function showTimes(root) {
  for (const time of all("time[data-local]", root)) {
    const moment = new Date(time.dateTime);
    time.textContent = (time.dataset.local === "short" ? short : local).format(moment);
  }
  for (const time of all("time:not([data-local])", root)) {
    const moment = new Date(time.dateTime);
    time.title = `${local.format(moment)}\n${moment.toISOString()}`;
  }
}

// Refresh: nothing moves under the pointer, in a selection or in a hidden tab.
let pointed = null;
document.addEventListener("pointerover", (event) => { pointed = event.target; });
document.addEventListener("pointerleave", () => { pointed = null; });
const rests = (region) =>
  document.hidden || document.querySelector("dialog[open]") !== null ||
  (pointed?.isConnected && region.contains(pointed) && pointed.closest("table[data-rows], .card, button, a") !== null) ||
  region.querySelector("input:checked") !== null || region.contains(document.activeElement) ||
  !getSelection().isCollapsed;
document.addEventListener("htmx:before:request", (event) => {
  const region = event.detail.ctx.sourceElement;
  if (region.hasAttribute("data-live") && rests(region)) event.preventDefault();
});
document.addEventListener("htmx:after:swap", (event) => {
  if (isLive(event)) document.getElementById("stale").hidden = true;
  showTimes(document); draw(); moveCursor(0);
});

// A refresh that fails leaves the page as it is, and says so.
const isLive = (event) => event.detail.ctx?.sourceElement.hasAttribute("data-live");
const failed = (event) => { if (isLive(event)) document.getElementById("stale").hidden = false; };
document.addEventListener("htmx:error", failed);
document.addEventListener("htmx:before:response", (event) => {
  if (!isLive(event) || event.detail.ctx.response.status < 400) return;
  event.preventDefault();
  failed(event);
});

// Keyboard.
let cursor = -1;
const rows = () => all("table[data-rows] tbody tr, main .card");
const atCursor = () => rows()[cursor]; // during a refresh, no row has the class
function moveCursor(step) {
  const count = rows().length;
  if (!count || cursor + step < 0) return;
  atCursor()?.classList.remove("at-cursor");
  cursor = Math.min(count - 1, cursor + step);
  atCursor().classList.add("at-cursor");
  if (step) atCursor().scrollIntoView({ block: "nearest" });
}
const pages = { o: "", j: "jobs", f: "failures", s: "schedules", q: "queues", w: "workers", e: "enqueue" };
let leader = -Infinity;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.timeStamp - leader < 1000 && event.key in pages) {
    leader = -Infinity;
    location.assign(document.querySelector(".brand").pathname + pages[event.key]);
    return;
  }
  switch (event.key) {
    case "/": document.getElementById("search")?.focus(); break;
    case "?": document.getElementById("help").showModal(); break;
    case "j": moveCursor(1); break;
    case "k": moveCursor(-1); break;
    case "g": leader = event.timeStamp; return;
    case "x": atCursor()?.querySelector("input[type=checkbox]")?.click(); break;
    case "Enter":
      if (event.target !== document.body && event.target.id !== "main") return;
      atCursor()?.querySelector("a")?.click();
      break;
    default: return;
  }
  event.preventDefault();
});

// Selection of rows.
function showSelection(form) {
  const boxes = all("tbody input[type=checkbox]", form);
  const chosen = boxes.filter((box) => box.checked).length;
  const text = form.querySelector("[data-chosen]");
  text.dataset.empty ??= text.textContent;
  text.textContent = chosen ? text.dataset.template.replace("{n}", chosen) : text.dataset.empty;
  const head = form.querySelector("[data-all]");
  head.checked = chosen > 0 && chosen === boxes.length;
  head.indeterminate = chosen > 0 && chosen < boxes.length;
}
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-selection]");
  if (!form) return;
  if (event.target.matches("[data-all]"))
    for (const box of all("tbody input[type=checkbox]", form)) box.checked = event.target.checked;
  showSelection(form);
});

// Confirmation and copy.
document.addEventListener("submit", (event) => {
  const text = event.target.dataset.confirm;
  if (!text) return;
  event.preventDefault();
  const dialog = document.getElementById("confirm");
  document.getElementById("confirm-text").textContent = text;
  dialog.onclose = () => { if (dialog.returnValue === "yes") event.target.submit(); };
  dialog.returnValue = "";
  dialog.showModal();
});
async function copy(element) {
  if (navigator.clipboard) return navigator.clipboard.writeText(element.textContent);
  getSelection().selectAllChildren(element); // without HTTPS, browsers have no clipboard
  document.execCommand("copy");
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await copy(document.getElementById(button.dataset.copy));
  button.dataset.label ??= button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = button.dataset.label; }, 2000);
});

// Chart.
let plot = null;
function draw() {
  const element = document.querySelector("[data-chart]");
  if (!element || typeof uPlot === "undefined") return;
  const host = document.getElementById("plot");
  const data = JSON.parse(element.dataset.chart);
  const rows = [data.starts.map((start) => Date.parse(start) / 1000), data.completed.map((done, index) => done + data.failed[index]), data.failed];
  if (plot && host.contains(plot.root)) { plot.setData(rows); return; }
  const style = getComputedStyle(element);
  const colour = (name) => { host.style.color = `var(${name})`; return getComputedStyle(host).color; };
  const [accent, bad, dim, line] = ["--accent", "--bad", "--dim", "--line"].map(colour);
  host.style.color = "";
  const axis = { stroke: dim, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: `11px ${style.fontFamily}` };
  const bars = uPlot.paths.bars({ size: [0.75, 24] });
  plot?.destroy();
  plot = new uPlot({
    width: element.clientWidth - 16, height: 150, legend: { show: false }, cursor: { show: false },
    scales: { x: { range: (_, low, high) => [low - 30, high + 30] }, y: { range: (_, low, high) => [0, Math.max(high, 4)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, values: (_, splits) => splits.map((at) => clock.format(at * 1000)) },
      { ...axis, size: 44 },
    ],
    series: [{}, { label: element.dataset.completed, fill: accent, width: 0, paths: bars, points: { show: false } },
      { label: element.dataset.failed, fill: bad, width: 0, paths: bars, points: { show: false } }],
  }, rows, host);
}
addEventListener("resize", () => {
  const element = document.querySelector("[data-chart]");
  if (plot && element) plot.setSize({ width: element.clientWidth - 16, height: 150 });
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { plot?.destroy(); plot = null; draw(); });

// A notice is shown once: a reload or a shared link does not repeat it.
const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  history.replaceState(null, "", here);
}
document.querySelector("nav [aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
showTimes(document);
draw();
for (const form of all("[data-selection]")) showSelection(form);

// The page of a line: what it does now, what it did in a window, and who was told what.

import { all, ask, path } from "./api.js";
import { elapsed, fully, now, shortly, span, stamp } from "./clock.js";
import { follow } from "./live.js";
import { byId, h, inPath, openPage, trouble } from "./page.js";
import { badge, shape, stateLabel, stateOf, stateOfRun, stateOfStatus } from "./status.js";
import { Timeline, within } from "./timeline.js";
import { t } from "./words.js";

const HOUR = 3_600_000;
const WINDOWS = [["1 h", HOUR], ["8 h", 8 * HOUR], ["24 h", 24 * HOUR], ["7 d", 168 * HOUR], ["30 d", 720 * HOUR], ["1 y", 8766 * HOUR]];
/** Most rows of the list of stops: the longest are what is looked for. */
const STOPS_MAX = 50;

const id = decodeURIComponent(location.pathname.slice("/lines/".length));
const base = `/v1/lines/${inPath(id)}`;
const asked = new URLSearchParams(location.search);
let line = null;
let view = windowOf(asked) ?? { from: now() - 24 * HOUR, to: now() };
// A window that ends now goes on with it.
let follows = windowOf(asked) === null;
let data = null;

openPage(id);
byId("name").textContent = id;
const timeline = new Timeline(byId("timeline"), {
  onmove: (to) => {
    follows = Math.abs(to.to - now()) < 1000;
    moveTo(to);
  },
  onsay: (text) => { byId("tip").textContent = text; },
});
byId("timeline").setAttribute("aria-label", `${t("line.timeline")}. ${t("line.keys")}`);
byId("tip").textContent = t("line.keys");
byId("windows").append(...WINDOWS.map(([words, ms]) => h("button", { type: "button", "data-ms": ms, onclick: () => {
  follows = true;
  moveTo({ from: now() - ms, to: now() });
} }, words)));
byId("moves").append(...[
  ["←", "line.earlier", () => timeline.move(-0.5)], ["→", "line.later", () => timeline.move(0.5)],
  ["+", "line.zoom.in", () => timeline.zoom(0.5)], ["−", "line.zoom.out", () => timeline.zoom(2)],
].map(([sign, words, act]) => h("button", { type: "button", "aria-label": t(words), title: t(words), onclick: act }, sign)),
h("button", { type: "button", onclick: () => timeline.toNow() }, t("line.now")));

follow({ line: id }, {
  start: async () => {
    await readLine();
    await read();
  },
  line: (row) => {
    if (!line || row.version >= line.version) {
      line = { ...row, path: row.path ?? line?.path };
      showNow();
    }
    later();
  },
  interval: later,
  retracted: later,
  directory: readLine,
});
setInterval(tick, 1000);
setInterval(() => follows && later(), 15_000);

function windowOf(search) {
  const [from, to] = [Date.parse(search.get("from")), Date.parse(search.get("to"))];
  return Number.isNaN(from) || Number.isNaN(to) || from >= to ? null : { from, to };
}

function moveTo(to) {
  view = to;
  const url = new URL(location.href);
  for (const name of ["from", "to"]) {
    if (follows) url.searchParams.delete(name);
    else url.searchParams.set(name, stamp(to[name]));
  }
  history.replaceState(null, "", url);
  if (data) draw();
  later();
}

let timer = null;
function later() {
  clearTimeout(timer);
  timer = setTimeout(() => read().catch(trouble), 150);
}

async function readLine() {
  try {
    line = await ask(base);
    trouble(null);
    showNow();
  } catch (problem) {
    if (problem.status === 404) trouble(new Error(t("line.unknown")));
    else throw problem;
  }
}

let reading = null;
async function read() {
  if (line === null) return;
  reading?.abort();
  reading = new AbortController();
  const { signal } = reading;
  if (follows) view = { from: now() - (view.to - view.from), to: now() };
  const { from, to } = view;
  if (from >= now()) return;
  const query = { from: stamp(from), to: stamp(to) };
  const answer = await ask(path(`${base}/timeline`, query), { signal });
  // What is before the line's first event is nobody's production.
  data = { ...answer, firstAt: Date.parse(answer.from) + answer.totals.before_first_event_ms };
  trouble(null);
  draw();
  showTotals();
  showStops();
  await showTold(query, signal);
}

function draw() {
  timeline.draw({ ...view, runs: data.items, firstAt: data.firstAt, now: now() });
  byId("window").textContent = t("line.window", { from: fully(view.from), to: fully(view.to) });
  const width = view.to - view.from;
  for (const button of byId("windows").children) button.setAttribute("aria-pressed", String(follows && Math.abs(width - button.dataset.ms) < 1000));
}

function showNow() {
  const state = stateOf(line);
  const place = byId("now");
  const since = line.open_downtime?.started_at ?? line.since;
  place.hidden = false;
  place.dataset.state = state;
  place.setAttribute("aria-label", t(line.status));
  place.replaceChildren(
    h("span", { class: "elapsed", role: "timer", "data-since": since ?? "" }),
    h("div", {},
      stateLabel(state, line.status),
      h("div", { class: "quiet-text" }, since ? t("board.since", { time: shortly(Date.parse(since)) }) : t("board.never"))),
    h("div", {},
      line.class === "down" ? h("div", {}, h("strong", {}, line.reason_code ?? t("reason.unknown"))) : null,
      line.source_status ? h("div", { class: "code" }, line.source_status) : null),
    h("a", { href: path("/subscriptions", { node: line.path.join("/") }) }, t("line.follow")));
  byId("name").textContent = line.path.at(-1) ?? id;
  byId("crumbs").replaceChildren(...line.path.slice(0, -1).flatMap((name, index) => [
    h("a", { href: path("/", { area: line.path.slice(0, index + 1).join("/") }) }, name), " / "]));
  tick();
}

function tick() {
  const clock = document.querySelector("#now .elapsed");
  if (clock) clock.textContent = clock.dataset.since ? elapsed(now() - Date.parse(clock.dataset.since)) : "–";
}

const TOTALS = [["production_ms", "up"], ["unplanned_ms", "down"], ["planned_ms", "planned"], ["idle_ms", "idle"], ["unknown_ms", "unknown"], ["before_first_event_ms", "before"]];

function showTotals() {
  const { totals } = data;
  const whole = Object.values(totals).reduce((sum, ms) => sum + ms, 0) || 1;
  const share = (ms) => `${((ms / whole) * 100).toFixed(ms > 0 && ms / whole < 0.1 ? 2 : 1)} %`;
  byId("share").replaceChildren(...TOTALS.filter(([name]) => totals[name] > 0).map(([name, state]) => {
    const bar = h("i", { "data-state": state });
    bar.style.flex = `${totals[name]} 0 0`;
    return bar;
  }));
  byId("totals").replaceChildren(...TOTALS.filter(([name, state]) => totals[name] > 0 || state === "up" || state === "down").map(([name, state]) =>
    h("li", { "data-state": state },
      h("span", { class: "state" }, shape(state), t(state === "down" ? "state.unplanned" : `state.${state}`)),
      h("b", {}, span(totals[name])), h("span", { class: "quiet-text" }, share(totals[name])))));
}

function showStops() {
  const { from, to } = view;
  const end = Math.min(to, now());
  const length = (run) => within(run, from, end);
  const stops = data.items.filter((run) => run.kind === "down").sort((a, b) => length(b) - length(a));
  const place = byId("stops");
  if (stops.length === 0) {
    place.replaceChildren(h("p", { class: "empty" }, t("line.stops.none")));
    return;
  }
  place.replaceChildren(
    h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("line.stops") }, h("table", { class: "stacks" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("start")), h("th", { scope: "col", class: "number" }, t("duration")), h("th", { scope: "col" }, t("status")), h("th", { scope: "col" }, t("reason")))),
      h("tbody", {}, stops.slice(0, STOPS_MAX).map(row)))));
}

function row(run) {
  const last = run.segments.at(-1);
  const reasons = [...new Set(run.segments.map((segment) => segment.reason_code).filter(Boolean))];
  const state = stateOfStatus(worst(run.segments));
  const cell = (key, className, ...content) => h("td", { "data-label": t(key), class: className }, ...content);
  return h("tr", {},
    cell("start", "when", h("button", { type: "button", class: "quiet", onclick: () => timeline.choose(run.id), title: fully(Date.parse(run.started_at)) }, shortly(Date.parse(run.started_at)))),
    cell("duration", "number", run.duration_ms === null ? t("still") : span(run.duration_ms)),
    cell("status", null, badge(state, worst(run.segments)), run.segments.length > 1 ? segments(run) : null),
    cell("reason", null, reasons.join(", ") || (last.source_status ?? t("reason.unknown"))));
}

const SEVERITY = ["FAULTED", "STOPPED", "DEGRADED", "BLOCKED", "STARVED", "PLANNED_STOP", "CHANGEOVER"];
function worst(list) {
  return SEVERITY.find((status) => list.some((segment) => segment.status === status)) ?? list[0].status;
}

function segments(run) {
  return h("details", {}, h("summary", {}, t("line.segments", { count: run.segments.length })),
    h("ol", { class: "segments" }, run.segments.map((segment) => h("li", {},
      badge(stateOfRun(run.kind, segment.status), segment.status), " ",
      `${shortly(Date.parse(segment.started_at))} – ${segment.ended_at === null ? "…" : shortly(Date.parse(segment.ended_at))}`,
      segment.reason_code ? ` · ${segment.reason_code}` : ""))));
}

async function showTold(query, signal) {
  const place = byId("told");
  let found;
  try {
    found = await all(`${base}/deliveries`, query, { most: 200, signal, canDo: true });
  } catch (problem) {
    if (problem.status !== 401 && problem.status !== 403) throw problem;
    place.replaceChildren(h("p", { class: "empty" }, t("line.told.token")));
    return;
  }
  if (found.items.length === 0) {
    place.replaceChildren(h("p", { class: "empty" }, t("line.told.none")));
    return;
  }
  place.replaceChildren(h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("line.told") }, h("table", {},
    h("thead", {}, h("tr", {}, ["start", "line.message", "line.subscriber", "line.outcome"].map((key) => h("th", { scope: "col" }, t(key))))),
    h("tbody", {}, found.items.map((told) => h("tr", {},
      h("td", { class: "when", title: fully(Date.parse(told.decided_at)) }, shortly(Date.parse(told.decided_at))),
      h("td", {}, t(`kind.${told.kind}`)),
      h("td", { class: "code", title: told.subscriber_id }, told.subscriber_id.slice(0, 8)),
      h("td", { title: told.rule }, t(`outcome.${told.state}`))))))));
}

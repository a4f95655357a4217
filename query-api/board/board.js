// The board: one tile a line, worst first.

import { all, ask } from "./api.js";
import { elapsed, now, shortly } from "./clock.js";
import { follow } from "./live.js";
import { byId, h, inPath, nodesOf, openPage } from "./page.js";
import { shape, stateLabel, stateOf, STATES } from "./status.js";
import { t } from "./words.js";

const search = new URLSearchParams(location.search);
const lines = new Map();
const tiles = new Map();
let area = search.get("area") ?? "";
let only = null;

openPage("");
if (search.has("kiosk")) document.documentElement.dataset.kiosk = "";

follow({}, {
  start: readAll,
  line: (line) => put(line) && soon(),
  directory: ({ line_id: id }) => readOne(id),
});
setInterval(tick, 1000);
addEventListener("resize", fit);

byId("area").addEventListener("change", (event) => {
  area = event.target.value;
  const url = new URL(location.href);
  if (area) url.searchParams.set("area", area);
  else url.searchParams.delete("area");
  history.replaceState(null, "", url);
  show();
});
byId("kiosk").addEventListener("click", async () => {
  document.documentElement.dataset.kiosk = "";
  await document.documentElement.requestFullscreen?.().catch(() => {});
  fit();
});
document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement && !search.has("kiosk")) delete document.documentElement.dataset.kiosk;
  fit();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !search.has("kiosk")) delete document.documentElement.dataset.kiosk;
});

async function readAll() {
  const { items } = await all("/v1/lines");
  const there = new Set(items.map((line) => line.line_id));
  for (const id of lines.keys()) if (!there.has(id)) lines.delete(id);
  for (const line of items) put(line, true);
  show();
}

async function readOne(id) {
  try {
    put(await ask(`/v1/lines/${inPath(id)}`), true);
  } catch (problem) {
    if (problem.status === 404) lines.delete(id);
  }
  soon();
}

/** Keeps the row of the higher version; whether it is this one. One that was asked for also tells the line's place. */
function put(line, wasAsked = false) {
  const known = lines.get(line.line_id);
  if (known && known.version > line.version) {
    if (wasAsked) known.path = line.path;
    return false;
  }
  lines.set(line.line_id, line);
  return true;
}

let isDue = false;
function soon() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    show();
  });
}

const isIn = (line) => area === "" || `${line.path.join("/")}/`.startsWith(`${area}/`);
const place = (line) => line.path.join("/");

function show() {
  const inArea = [...lines.values()].filter(isIn);
  const shown = inArea
    .filter((line) => only === null || stateOf(line) === only)
    .sort((a, b) => STATES.indexOf(stateOf(a)) - STATES.indexOf(stateOf(b)) || place(a).localeCompare(place(b)));
  const list = byId("tiles");
  const focused = document.activeElement?.closest?.(".tile");
  const kept = new Set();
  shown.forEach((line, index) => {
    kept.add(line.line_id);
    const tile = tileOf(line);
    if (list.children[index] !== tile) list.insertBefore(tile, list.children[index] ?? null);
  });
  for (const [id, tile] of tiles) {
    if (kept.has(id)) continue;
    tile.remove();
    tiles.delete(id);
  }
  // Moving an element takes its focus away.
  if (focused?.isConnected && !focused.contains(document.activeElement)) focused.querySelector("a").focus({ preventScroll: true });
  const nothing = byId("nothing");
  nothing.hidden = shown.length > 0;
  nothing.textContent = t(lines.size === 0 ? "board.none" : "board.none.shown");
  showCounts(inArea);
  showAreas();
  tick();
  fit();
}

function tileOf(line) {
  const state = stateOf(line);
  const known = tiles.get(line.line_id);
  if (known && known.version === line.version && known.place === place(line)) return known;
  const tile = known ?? h("li", { class: "tile" });
  const changed = known && known.dataset.state !== state;
  const above = line.path.slice(0, -1).join(" / ");
  const reason = line.reason_code ?? (state === "down" || state === "external" ? t("reason.unknown") : null);
  tile.since = line.since === null ? null : Date.parse(line.open_downtime?.started_at ?? line.since);
  tile.version = line.version;
  tile.place = place(line);
  tile.dataset.state = state;
  tile.dataset.line = line.line_id;
  tile.replaceChildren(h("a", { href: `/lines/${inPath(line.line_id)}` },
    h("span", { class: "head" },
      h("span", { class: "name" }, above ? h("span", { class: "where" }, above) : null, line.path.at(-1) ?? line.line_id),
      stateLabel(state, line.status)),
    h("span", { class: "elapsed", role: "timer" }),
    h("span", { class: "foot" },
      h("span", { class: "reason" }, reason ?? ""),
      h("span", { class: "since" }, tile.since === null ? t("board.never") : t("board.since", { time: shortly(tile.since) })))));
  tile.clock = tile.querySelector(".elapsed");
  if (changed) {
    tile.classList.remove("fresh");
    requestAnimationFrame(() => tile.classList.add("fresh"));
    byId("news").textContent = t("board.news", { line: line.path.at(-1), state: t(line.status) });
  }
  tiles.set(line.line_id, tile);
  return tile;
}

function showCounts(inArea) {
  const list = document.querySelector(".counts");
  const focused = document.activeElement?.closest?.(".counts li")?.dataset.state;
  list.replaceChildren(...STATES.flatMap((state) => {
    const count = inArea.filter((line) => stateOf(line) === state).length;
    if (count === 0 && only !== state) return [];
    return [h("li", { "data-state": state }, h("button", { type: "button", "aria-pressed": String(only === state), onclick: () => {
      only = only === state ? null : state;
      show();
    } }, shape(state), h("b", {}, String(count)), t(`state.${state}`)))];
  }));
  if (focused) list.querySelector(`[data-state="${focused}"] button`)?.focus();
}

let areas = "";
function showAreas() {
  const nodes = nodesOf([...lines.values()].map((line) => ({ path: line.path.slice(0, -1) })));
  if (area && !nodes.includes(area)) nodes.push(area);
  const key = JSON.stringify([nodes, area]);
  if (key === areas) return;
  areas = key;
  const select = byId("area");
  select.replaceChildren(
    h("option", { value: "" }, t("board.area.all")),
    ...nodes.map((node) => h("option", { value: node, selected: node === area }, node.split("/").join(" / "))));
  select.hidden = nodes.length === 0;
}

function tick() {
  const time = now();
  const isStale = "stale" in document.documentElement.dataset;
  for (const tile of tiles.values()) {
    // Nobody knows how long it really lasts while there is no news: the clock stops too.
    if (isStale && tile.clock.textContent) continue;
    const text = tile.since === null ? "–" : elapsed(time - tile.since);
    if (tile.clock.textContent !== text) tile.clock.textContent = text;
    tile.clock.classList.toggle("long", text.length > 5 && text.length <= 8);
    tile.clock.classList.toggle("longer", text.length > 8);
  }
}

/** What a tile needs at least to be read from a distance, in pixels. */
const TILE = { width: 200, height: 118 };

/** As large as the screen allows: the number of columns that makes tiles largest while all of them are seen. */
function fit() {
  const list = byId("tiles");
  const count = list.children.length;
  const space = { width: list.clientWidth, height: innerHeight - list.getBoundingClientRect().top - scrollY - (document.documentElement.dataset.kiosk === undefined ? 56 : 40) };
  const gap = 12;
  list.classList.remove("fitted");
  if (count === 0 || space.width < 640) return;
  let best = null;
  for (let columns = 1; columns <= Math.min(count, Math.floor(space.width / TILE.width)); columns += 1) {
    const rows = Math.ceil(count / columns);
    const width = (space.width - gap * (columns - 1)) / columns;
    const height = (space.height - gap * (rows - 1)) / rows;
    if (height < TILE.height) continue;
    const size = Math.min(width, height * 1.9);
    if (best === null || size > best.size) best = { columns, size, height: Math.min(height, width * 0.8) };
  }
  if (best === null) return; // more than a screen holds: the worst stand first, the rest scrolls
  list.classList.add("fitted");
  list.style.setProperty("--columns", best.columns);
  list.style.setProperty("--row", `${Math.floor(best.height)}px`);
}

// The search over downtime: lines or areas, a window, a class; and its export.

import { ask, headers, path, token } from "./api.js";
import { fromField, fully, now, span, stamp, toField } from "./clock.js";
import { byId, h, inPath, nodesOf, openPage, trouble } from "./page.js";
import { badge, stateOfStatus } from "./status.js";
import { within } from "./timeline.js";
import { t } from "./words.js";

const DAY = 86_400_000;
const PAGE = 200;
const search = new URLSearchParams(location.search);
const form = byId("query");
let found = [];
let cursor = null;
let lines = new Set();
/** Which search is shown: answers of an earlier one are late. */
let run = 0;

openPage(t("downtime.title"));
byId("class").append(...["any", "unplanned", "planned"].map((name) => h("option", { value: name === "any" ? "" : name, selected: search.get("class") === name }, t(`class.${name}`))));
byId("where").value = search.get("where") ?? "";
byId("from").value = toField(Date.parse(search.get("from")) || now() - 7 * DAY);
byId("to").value = search.get("to") ? toField(Date.parse(search.get("to"))) : "";

form.addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});
form.addEventListener("input", link);
byId("more").addEventListener("click", () => next().catch(trouble));
byId("csv").addEventListener("click", (event) => {
  link();
  if (token() === null) return;
  event.preventDefault();
  save(event.currentTarget.href).catch(trouble);
});
prepare();

async function prepare() {
  try {
    const { items } = await ask("/v1/lines?limit=1000");
    lines = new Set(items.map((line) => line.line_id));
    byId("nodes").append(...nodesOf(items).map((node) => h("option", { value: node })));
  } catch (problem) {
    trouble(problem);
  }
  begin();
}

/** What is asked for. A name that is a line's asks for this line, everything else for the area of that name. */
function query() {
  const where = byId("where").value.trim();
  const [from, to] = [fromField(byId("from").value), fromField(byId("to").value)];
  return {
    ...(where === "" ? {} : lines.has(where) ? { line: where } : { area: where }),
    from: from === null ? null : stamp(from),
    to: to === null ? null : stamp(to),
  };
}

function link() {
  byId("csv").href = path("/v1/downtime", { ...query(), format: "csv" });
  // The class is chosen here alone.
  byId("csv").textContent = t(byId("class").value ? "downtime.csv.every" : "downtime.csv");
}

/** Saves a file that a link could not fetch: links carry no token. */
async function save(address) {
  const response = await fetch(address, { headers: headers() });
  if (!response.ok) throw new Error((await response.json()).title);
  const file = URL.createObjectURL(await response.blob());
  h("a", { href: file, download: "downtime.csv" }).click();
  URL.revokeObjectURL(file);
}

async function begin() {
  const { from, to } = query();
  for (const name of ["from", "to"]) byId(name).removeAttribute("aria-invalid");
  if (from && to && from >= to) {
    for (const name of ["from", "to"]) byId(name).setAttribute("aria-invalid", "true");
    trouble(new Error(t("downtime.wrong")));
    return;
  }
  history.replaceState(null, "", path("/downtime", { where: byId("where").value.trim(), from, to, class: byId("class").value }));
  link();
  found = [];
  cursor = null;
  run += 1;
  trouble(null);
  byId("summary").textContent = t("loading");
  await next().catch((problem) => {
    byId("summary").textContent = "";
    trouble(problem);
  });
}

async function next() {
  const asked = run;
  const answer = await ask(path("/v1/downtime", { ...query(), limit: PAGE, cursor }));
  if (asked !== run) return;
  found.push(...answer.items);
  cursor = answer.next_cursor;
  show();
}

function show() {
  const { from, to } = query();
  const window = [from ? Date.parse(from) : -Infinity, to ? Math.min(Date.parse(to), now()) : now()];
  const wanted = byId("class").value;
  const shown = found.filter((run) => wanted === "" || run.segments.some((segment) => segment.class === wanted));
  const total = shown.reduce((sum, run) => sum + within(run, ...window), 0);
  byId("summary").textContent = t(cursor ? "downtime.summary.more" : "downtime.summary", { count: shown.length, total: span(total) });
  byId("more").hidden = cursor === null;
  byId("found").replaceChildren(shown.length === 0 ? h("p", { class: "empty" }, t("downtime.none")) : h("table", { class: "stacks" },
    h("thead", {}, h("tr", {}, ["line", "start", "end", "duration", "status", "reason"].map((key) => h("th", { scope: "col", class: key === "duration" ? "number" : null }, t(key))))),
    h("tbody", {}, shown.map(row))));
}

function row(run) {
  const [start, end] = [Date.parse(run.started_at), run.ended_at === null ? null : Date.parse(run.ended_at)];
  const statuses = [...new Set(run.segments.map((segment) => segment.status))];
  const reasons = [...new Set(run.segments.map((segment) => segment.reason_code).filter(Boolean))];
  const words = [...new Set(run.segments.map((segment) => segment.source_status).filter(Boolean))];
  const around = { from: stamp(start - DAY / 2), to: stamp((end ?? now()) + DAY / 2) };
  const cell = (key, className, ...content) => h("td", { "data-label": t(key), class: className }, ...content);
  return h("tr", {},
    cell("line", null, h("a", { href: path(`/lines/${inPath(run.line_id)}`, around) }, run.line_id)),
    cell("start", "when", fully(start)),
    cell("end", "when", end === null ? "–" : fully(end)),
    cell("duration", "number", end === null ? t("still") : span(end - start)),
    cell("status", null, ...statuses.flatMap((status) => [badge(stateOfStatus(status), status), " "])),
    cell("reason", null, reasons.join(", ") || words.join(", ") || t("reason.unknown")));
}

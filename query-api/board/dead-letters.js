// What could not be folded: looked at, sent again, or set aside.

import { ask, path } from "./api.js";
import { fully, shortly } from "./clock.js";
import { byId, h, openPage, trouble, twice } from "./page.js";
import { says, t } from "./words.js";

const REASONS = ["DECODE", "SCHEMA_UNKNOWN", "KEY_MISMATCH", "TOO_LATE", "FUTURE_TIMESTAMP", "UNKNOWN_LINE", "OVERSIZE"];
/** Bytes of a value that are shown; the API gives all of them. */
const SHOWN_BYTES_MAX = 2_048;

let found = [];
let cursor = null;
/** Which list is shown: answers of an earlier one are late. */
let run = 0;

openPage(t("dead.title"));
const why = (reason) => (says(`why.${reason}`) ? t(`why.${reason}`) : reason);
byId("reason").append(h("option", { value: "" }, t("dead.reason.any")), ...REASONS.map((reason) => h("option", { value: reason }, why(reason))));
byId("query").addEventListener("input", begin);
byId("query").addEventListener("submit", (event) => event.preventDefault());
byId("more").addEventListener("click", () => next().catch(trouble));
byId("close").addEventListener("click", () => byId("letter").close());
begin();

async function begin() {
  found = [];
  cursor = null;
  run += 1;
  trouble(null);
  await next().catch(trouble);
}

async function next() {
  const asked = run;
  const answer = await ask(path("/v1/dead-letters", {
    reason: byId("reason").value, redundant: byId("redundant").checked || null, resolved: byId("resolved").checked || null, limit: 100, cursor,
  }));
  if (asked !== run) return;
  found.push(...answer.items);
  cursor = answer.next_cursor;
  show();
}

function show() {
  byId("summary").textContent = found.length ? t("dead.count", { count: found.length }) : "";
  byId("more").hidden = cursor === null;
  byId("found").replaceChildren(found.length === 0 ? h("p", { class: "empty" }, t("dead.none")) : h("table", { class: "stacks" },
    h("thead", {}, h("tr", {}, ["dead.last", "dead.reason", "dead.key", "dead.what", "dead.times"].map((key) => h("th", { scope: "col" }, t(key))), h("td", {}))),
    h("tbody", {}, found.map(row))));
}

function row(letter) {
  const cell = (key, ...content) => h("td", { "data-label": t(key), class: key === "dead.what" ? null : "when" }, ...content);
  return h("tr", {},
    cell("dead.last", shortly(Date.parse(letter.last_at))),
    cell("dead.reason", h("strong", {}, why(letter.reason)), letter.resolved ? ` (${t(`dead.${letter.resolved.how}`)})` : ""),
    cell("dead.key", letter.key),
    cell("dead.what", letter.error),
    cell("dead.times", String(letter.count)),
    h("td", {}, h("button", { type: "button", "aria-label": `${t("dead.open")}: ${why(letter.reason)}, ${letter.key}`, onclick: () => open(letter.id).catch(trouble) }, t("dead.open"))));
}

async function open(id) {
  const letter = await ask(`/v1/dead-letters/${id}`);
  byId("letter-title").textContent = `${why(letter.reason)}: ${letter.key}`;
  const fact = (key, content) => [h("dt", {}, t(key)), h("dd", {}, content)];
  const value = letter.value_base64 === null ? "" : readable(letter.value_base64);
  byId("letter-body").replaceChildren(
    h("dl", { class: "facts" },
      fact("dead.what", letter.error), fact("dead.first", fully(Date.parse(letter.first_at))),
      fact("dead.last", fully(Date.parse(letter.last_at))), fact("dead.times", String(letter.count))),
    ...(letter.decoded ? [h("h3", {}, t("dead.decoded")), code("dead.decoded", JSON.stringify(letter.decoded, null, 2))] : []),
    h("h3", {}, t("dead.value")), code("dead.value", value),
    ...(letter.headers.length ? [h("h3", {}, t("dead.headers")), code("dead.headers", letter.headers.map(({ name, value: text }) => `${name}: ${text}`).join("\n"))] : []));
  const act = (how) => async () => {
    try {
      await ask(`/v1/dead-letters/${id}/${how}`, { method: "POST" });
      byId("letter").close();
      await begin();
    } catch (problem) {
      byId("letter-body").prepend(h("p", { class: "notice bad", role: "alert" }, problem.message));
    }
  };
  const actions = byId("letter-actions");
  if (letter.resolved) actions.replaceChildren(h("p", { class: "quiet-text" }, t(`dead.${letter.resolved.how}`)));
  else if (letter.reason === "TOO_LATE") actions.replaceChildren(twice("dead.discard", "dead.discard.sure", act("discard")), h("p", { class: "quiet-text" }, t("dead.late")));
  else actions.replaceChildren(h("button", { type: "button", class: "main", onclick: act("redrive") }, t("dead.redrive")), twice("dead.discard", "dead.discard.sure", act("discard")));
  byId("letter").showModal();
}

function code(label, text) {
  return h("pre", { tabindex: 0, role: "group", "aria-label": t(label) }, h("code", {}, text));
}

/** Bytes as text where they are text, else as rows of hex with what can be printed beside them. */
function readable(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)).slice(0, SHOWN_BYTES_MAX);
  const isText = bytes.every((byte) => byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
  if (isText) return new TextDecoder().decode(bytes);
  const rows = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = [...bytes.slice(at, at + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ").padEnd(47);
    rows.push(`${at.toString(16).padStart(4, "0")}  ${hex}  ${part.map((byte) => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("")}`);
  }
  return rows.join("\n");
}

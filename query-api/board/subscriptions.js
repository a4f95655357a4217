// Following a line or an area, and seeing and ending what one follows. The address is typed by its owner, sent in bodies
// alone, and kept nowhere.

import { ask } from "./api.js";
import { shortly, span, zone } from "./clock.js";
import { byId, h, offerNodes, openPage, twice } from "./page.js";
import { language, t } from "./words.js";

const search = new URLSearchParams(location.search);
const AFTER = [["PT0S", 0], ["PT2M", 120_000], ["PT5M", 300_000], ["PT30M", 1_800_000], ["PT2H", 7_200_000]];

openPage(t("subs.title"));
byId("node").value = search.get("node") ?? "";
byId("notify_after").append(...AFTER.map(([value, ms]) => h("option", { value }, ms === 0 ? t("subs.after.0") : t("subs.after.n", { time: span(ms) }))));
byId("class").append(...["any", "unplanned", "planned"].map((name) => h("option", { value: name === "any" ? "" : name }, t(`class.${name}`))));
byId("locale").value = language;
byId("zone").value = zone;
byId("zones").append(...(Intl.supportedValuesOf?.("timeZone") ?? []).map((name) => h("option", { value: name })));
offerNodes(byId("nodes"));

byId("new").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  clear(form);
  const value = (name) => byId(name).value.trim();
  const node = value("node").split("/").map((name) => name.trim()).join("/");
  if (!byId("email").checkValidity()) return wrong("email", t("subs.field.email"));
  if (!node) return wrong("node", t("subs.field.node"));
  try {
    await ask("/v1/subscriptions", { method: "POST", body: {
      email: value("email"), node, notify_after: value("notify_after"), locale: value("locale"), zone: value("zone") || "UTC",
      ...(value("class") ? { class: value("class") } : {}),
    } });
    tell("good", t("subs.done", { node }));
    byId("mine").value = value("email");
    await list(value("email"));
  } catch (problem) {
    if (problem.status === 409) tell("bad", t("subs.known", { node }));
    else if (problem.errors.length) for (const { field, detail } of problem.errors) wrong(field, detail);
    else if (problem.status === 422) wrong("email", problem.message);
    else tell("bad", problem.message);
  }
});

byId("search").addEventListener("submit", async (event) => {
  event.preventDefault();
  clear(event.target);
  if (!byId("mine").checkValidity()) return wrong("mine", t("subs.field.email"));
  await list(byId("mine").value.trim()).catch((problem) => wrong("mine", problem.message));
});

function tell(kind, text) {
  const place = byId("told");
  place.className = `notice ${kind}`;
  place.hidden = false;
  place.replaceChildren(h("p", {}, text));
}

function wrong(id, text) {
  const field = byId(id) ?? byId("email");
  field.setAttribute("aria-invalid", "true");
  const note = h("p", { class: "wrong", id: `${field.id}-wrong` }, text);
  field.setAttribute("aria-errormessage", note.id);
  field.closest(".field").append(note);
  field.focus();
}

function clear(form) {
  byId("told").hidden = true;
  for (const note of form.querySelectorAll(".wrong")) note.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

async function list(email) {
  const { items } = await ask("/v1/subscriptions/search", { method: "POST", body: { email } });
  const place = byId("list");
  if (items.length === 0) {
    place.replaceChildren(h("p", { class: "empty" }, t("subs.none")));
    return;
  }
  const erase = twice("subs.erase", "subs.erase.sure", async () => {
    await ask(`/v1/subscribers/${items[0].subscriber_id}`, { method: "DELETE" });
    place.replaceChildren(h("p", { class: "notice good" }, t("subs.erased")));
  });
  place.replaceChildren(
    h("table", { class: "stacks" },
      h("thead", {}, h("tr", {}, ["subs.node", "subs.after", "class", "start"].map((key) => h("th", { scope: "col" }, t(key))), h("td", {}))),
      h("tbody", {}, items.map((one) => row(one, email)))),
    h("div", { class: "actions" }, erase));
}

function row(one, email) {
  const ms = durationMs(one.notify_after);
  const cell = (key, ...content) => h("td", { "data-label": t(key) }, ...content);
  return h("tr", {},
    cell("subs.node", h("strong", {}, one.node.split("/").join(" / "))),
    cell("subs.after", ms === 0 ? t("subs.after.0") : t("subs.after.n", { time: span(ms) })),
    cell("class", t(`class.${one.class ?? "any"}`)),
    cell("start", shortly(Date.parse(one.created_at))),
    h("td", {}, h("button", { type: "button", "aria-label": t("subs.end.of", { node: one.node }), onclick: async (event) => {
      event.target.disabled = true;
      try {
        await ask(`/v1/subscriptions/${one.id}`, { method: "DELETE" });
        tell("good", t("subs.ended", { node: one.node }));
        await list(email);
      } catch (problem) {
        event.target.disabled = false;
        tell("bad", problem.message);
      }
    } }, t("subs.end"))));
}

/** An ISO 8601 duration of days, hours, minutes and seconds, in ms. */
function durationMs(text) {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text) ?? [];
  const [d, h_, m, s] = [1, 2, 3, 4].map((index) => Number(parts[index] ?? 0));
  return (((d * 24 + h_) * 60 + m) * 60 + s) * 1000;
}

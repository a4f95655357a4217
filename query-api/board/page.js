// What all pages share: making elements, the bar, colours, language, the token.

import { ask, token, useToken } from "./api.js";
import { zone } from "./clock.js";
import { language, speak, t, translate } from "./words.js";

const PAGES = [["/", "nav.board"], ["/downtime", "nav.downtime"], ["/subscriptions", "nav.subs"], ["/dead-letters", "nav.dead"], ["/docs", "nav.docs"]];

/** An element; text stays text, whatever it holds. */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An element of a picture. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** The element of that id. */
export const byId = (id) => document.getElementById(id);

/** A name of a line in a path of a page or the API. */
export const inPath = (line) => encodeURIComponent(line);

/** Shows what went wrong in the page's place for it, or clears it. */
export function trouble(error) {
  const place = byId("trouble");
  if (error && error.name === "AbortError") return;
  place.hidden = !error;
  place.replaceChildren(error ? h("p", {}, error.message) : "");
}

/** Fills the bar and the words. `title` is the page's own name. */
export function openPage(title) {
  look(stored("andon.look") ?? "auto");
  translate(document);
  document.title = title ? `${title} · Andon` : "Andon";
  const here = location.pathname;
  document.querySelector(".bar").append(
    h("a", { class: "brand", href: "/" }, h("img", { src: "/static/icon.svg", alt: "" }), "Andon"),
    h("nav", { "aria-label": t("nav.label") }, PAGES.map(([href, key]) =>
      h("a", { href, "aria-current": href === here ? "page" : null }, t(key)))),
    h("div", { class: "tools" },
      h("span", { class: "pulse", id: "pulse", hidden: true }),
      h("button", { type: "button", id: "token-button", hidden: token() === null, onclick: () => tokenDialog() }, t("token")),
      choice("look", [["auto", t("look.auto")], ["light", t("look.light")], ["dark", t("look.dark")]], stored("andon.look") ?? "auto", (value) => {
        keep("andon.look", value);
        look(value);
      }),
      choice("language", [["en", "English"], ["es", "Español"]], language, speak)));
  document.querySelector("footer.page").append(h("span", {}, t("times", { zone })), h("span", {}, `Andon ${build()}`));
  document.addEventListener("andon:token", (event) => tokenDialog(event.detail));
}

/** The build that this page was loaded as. */
export function build() {
  return document.querySelector("meta[name=build]").content;
}

function choice(name, options, value, onchange) {
  return h("select", { "aria-label": t(name), onchange: (event) => onchange(event.target.value) },
    options.map(([key, words]) => h("option", { value: key, selected: key === value }, words)));
}

function look(value) {
  if (value === "auto") delete document.documentElement.dataset.look;
  else document.documentElement.dataset.look = value;
}

/** What this browser remembers, if it may. */
export function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Remembers something in this browser, if it may. */
export function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch { /* a browser without storage forgets it */ }
}

function tokenDialog(problem) {
  const open = byId("token-dialog");
  if (open?.open) return; // somebody may be typing
  open?.remove();
  const field = h("input", { type: "password", id: "token-field", autocomplete: "off", spellcheck: "false" });
  const dialog = h("dialog", { id: "token-dialog", "aria-labelledby": "token-title" },
    h("form", { onsubmit: (event) => {
      event.preventDefault();
      if (!field.value.trim()) return;
      useToken(field.value.trim());
      location.reload();
    } },
      h("h2", { id: "token-title" }, t("token.title")),
      h("p", {}, t("token.lead")),
      problem ? h("p", { class: "quiet-text" }, problem.detail ?? problem.title ?? "") : null,
      h("div", { class: "field" }, h("label", { for: "token-field" }, t("token")), field),
      h("div", { class: "actions" },
        h("button", { class: "main" }, t("token.set")),
        h("button", { type: "button", hidden: token() === null, onclick: () => {
          useToken(null);
          location.reload();
        } }, t("token.forget")),
        h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, t("close")))));
  document.body.append(dialog);
  dialog.showModal();
}

/** Fills a list of the lines and areas that can be named. */
export async function offerNodes(list) {
  const { items } = await ask("/v1/lines?limit=1000").catch(() => ({ items: [] }));
  list.replaceChildren(...nodesOf(items).map((node) => h("option", { value: node })));
}

/** Lines and the areas above them: a node is the names from the top, joined by `/`; a line without a place is its id. */
export function nodesOf(lines) {
  const nodes = new Set();
  for (const { path } of lines) {
    for (let length = 1; length <= path.length; length += 1) nodes.add(path.slice(0, length).join("/"));
  }
  return [...nodes].sort((a, b) => a.localeCompare(b));
}

/** A button that acts on its second press, so that a slip of the hand changes nothing. */
export function twice(words, sure, act) {
  let isSure = false;
  const button = h("button", { type: "button", onclick: async () => {
    if (!isSure) {
      isSure = true;
      button.textContent = t(sure);
      return;
    }
    button.disabled = true;
    try {
      await act();
    } finally {
      button.disabled = false;
      isSure = false;
      button.textContent = t(words);
    }
  }, onblur: () => {
    isSure = false;
    button.textContent = t(words);
  } }, t(words));
  return button;
}

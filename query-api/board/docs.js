// The API for people: what /openapi.json says, by subject, with examples for a command line, and reading routes to be tried.

import { ask, headers, path, token } from "./api.js";
import { byId, h, openPage, trouble } from "./page.js";

/** How much of an answer that was tried is shown, in characters. */
const SHOWN_MAX = 100_000;

/** How deep a shape is shown before it is only named. */
const DEPTH_MAX = 6;

let api;

/** What a reference stands for. */
function meaning(schema) {
  const name = schema?.$ref?.split("/").at(-1);
  return name ? { ...api.components.schemas[name], ...schema, $ref: undefined, name } : (schema ?? {});
}

/** Text with `code`, **strong words** and paragraphs. */
function prose(text) {
  return (text ?? "").split("\n\n").filter(Boolean).map((paragraph) =>
    h("p", {}, paragraph.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
      if (part.startsWith("`")) return h("code", {}, part.slice(1, -1));
      if (part.startsWith("**")) return h("strong", {}, part.slice(2, -2));
      return part;
    })));
}

/** The alternatives of a schema without null, and whether null is one. */
function alternatives(schema) {
  const all = schema.oneOf ?? schema.anyOf;
  const several = schema.properties || !all ? [] : all;
  const rest = several.filter((one) => one.type !== "null");
  return { rest, isNullable: rest.length < several.length || (Array.isArray(schema.type) && schema.type.includes("null")) };
}

/** The type and the limits of a schema, in a few words. */
function kind(raw) {
  const schema = meaning(raw);
  const { rest, isNullable } = alternatives(schema);
  const types = [schema.type ?? []].flat().filter((type) => type !== "null");
  const words = rest.length > 0 ? rest.map(kind) : [types.join(" or ") || "anything"];
  const { items } = schema;
  let text = words.join(" or ");
  if (items) text = `array of ${kind(items)}`;
  else if (schema.enum) text = schema.enum.filter((value) => value !== null).map((value) => JSON.stringify(value)).join(" | ");
  else if (schema.const) text = JSON.stringify(schema.const);
  else if (schema.format && rest.length === 0) text += ` (${schema.format})`;
  const limits = [];
  if (schema.minimum !== undefined || schema.maximum !== undefined) limits.push(`${schema.minimum ?? "…"} to ${schema.maximum ?? "…"}`);
  if (schema.maxLength) limits.push(`at most ${schema.maxLength} characters`);
  if (schema.maxItems) limits.push(`at most ${schema.maxItems} items`);
  if (schema.default !== undefined) limits.push(`default ${JSON.stringify(schema.default)}`);
  if (isNullable) limits.push("or null");
  return [text, ...limits].join(", ");
}

/** All fields of a schema, those of its parts among them. */
function fields(schema) {
  const parts = (schema.allOf ?? []).map(meaning);
  return {
    properties: Object.assign({}, ...parts.map((part) => part.properties ?? {}), schema.properties ?? {}),
    required: [schema, ...parts].flatMap((part) => part.required ?? []),
  };
}

/** The schema whose fields are worth showing: of an array its items, of something or null the something. */
function core(raw) {
  const schema = meaning(raw);
  const { rest } = alternatives(schema);
  if (schema.items) return core(schema.items);
  return rest.length > 0 ? core(rest[0]) : schema;
}

/** The fields of a shape; null where it has none. */
function shape(raw, depth = 0) {
  const { properties, required } = fields(core(raw));
  const names = Object.keys(properties);
  if (names.length === 0) return null;
  return h("ul", { class: "schema" }, names.map((name) => {
    const field = properties[name];
    const said = meaning(field);
    const { rest } = alternatives(said);
    const words = said.description ?? rest.map((one) => meaning(one).description).find(Boolean);
    const inner = depth < DEPTH_MAX ? shape(field, depth + 1) : null;
    return h("li", {}, h("code", {}, name), required.includes(name) ? "" : " (optional)", " — ", h("span", { class: "quiet-text" }, kind(field)),
      words ? prose(words) : null, inner);
  }));
}

/** An example of what a schema takes. */
function example(raw, depth = 0) {
  const schema = meaning(raw);
  if (schema.examples) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const { rest } = alternatives(schema);
  if (rest.length > 0) return example(rest[0], depth);
  if (schema.items) return [example(schema.items, depth + 1)];
  const { properties } = fields(schema);
  if (Object.keys(properties).length > 0 && depth < DEPTH_MAX) {
    return Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, example(field, depth + 1)]));
  }
  switch ([schema.type].flat()[0]) {
    case "integer": return schema.minimum > 0 ? schema.minimum : 0;
    case "boolean": return false;
    case "string": return schema.format === "email" ? "anna@plant.example" : "text";
    default: return null;
  }
}

/** A text as one word of a shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** An address of an operation with its examples: what the path needs, and of the query what has one. */
function address(template, parameters) {
  const filled = parameters.filter((one) => one.in === "path").reduce((text, one) =>
    text.replace(`{${one.name}}`, encodeURIComponent(one.example ?? example(one.schema))), template);
  const query = parameters.filter((one) => one.in === "query" && one.example !== undefined && one.name !== "vocabulary");
  return path(filled, Object.fromEntries(query.map((one) => [one.name, one.example])));
}

/** The operation as a command line. */
function command(method, template, operation, contentType) {
  const words = ["curl"];
  if (method !== "get") words.push("-X", method.toUpperCase());
  words.push(quoted(location.origin + address(template, operation.parameters ?? [])));
  // The token itself stands nowhere on a page.
  if (token() !== null && operation.security?.length > 0) words.push("-H", '"authorization: Bearer $ANDON_TOKEN"');
  const content = operation.requestBody?.content[contentType];
  if (content) {
    const body = content.example ?? example(content.schema);
    words.push("-H", quoted(`content-type: ${contentType}`), "--data-binary", quoted(typeof body === "string" ? body : JSON.stringify(body)));
  }
  return words.join(" ");
}

/** A text to be copied. */
function copied(label, text) {
  const told = h("span", { role: "status", class: "quiet-text" });
  return h("div", { class: "example" },
    h("pre", { tabindex: "0", role: "group", "aria-label": label }, h("code", {}, text)),
    h("div", { class: "row" }, h("button", { type: "button", "aria-label": `Copy: ${label}`, onclick: async () => {
      try {
        await navigator.clipboard.writeText(text);
        told.textContent = "Copied.";
      } catch {
        told.textContent = "This browser does not let a page copy; select the text.";
      }
    } }, "Copy"), told));
}

function parameterTable(parameters) {
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Parameters" }, h("table", {},
    h("thead", {}, h("tr", {}, ["Name", "Where", "Value", "Meaning"].map((words) => h("th", { scope: "col" }, words)))),
    h("tbody", {}, parameters.map((one) => h("tr", {},
      h("th", { scope: "row" }, h("code", {}, one.name), one.required ? "" : " (optional)"),
      h("td", {}, one.in), h("td", {}, kind(one.schema)), h("td", {}, prose(one.description)))))));
}

function answerTable(responses) {
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Answers" }, h("table", {},
    h("thead", {}, h("tr", {}, ["Status", "Meaning", "Content"].map((words) => h("th", { scope: "col" }, words)))),
    h("tbody", {}, Object.entries(responses).map(([status, response]) => {
      const contents = Object.entries(response.content ?? {});
      const fieldsOf = status < "300" && contents.length > 0 ? shape(contents[0][1].schema) : null;
      return h("tr", {}, h("th", { scope: "row" }, status), h("td", {}, prose(response.description),
        fieldsOf ? h("details", {}, h("summary", {}, `Fields of a ${status}`), fieldsOf) : null),
        h("td", {}, contents.map(([type]) => h("p", {}, h("code", {}, type)))));
    }))));
}

/** A form that asks a reading route, and shows what it answers. */
function trial(template, operation) {
  const parameters = operation.parameters ?? [];
  const place = h("div", { class: "answer", "aria-live": "polite" });
  const inputs = parameters.map((one) => {
    const id = `${operation.operationId}-${one.name}`;
    const schema = meaning(one.schema);
    const choices = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
    const input = choices
      ? h("select", { id }, h("option", { value: "" }, "—"), choices.map((value) => h("option", { value }, value)))
      : h("input", { id, autocomplete: "off", spellcheck: "false", required: one.required, value: one.in === "path" ? one.example : null, placeholder: one.example ?? null });
    return { one, input, field: h("div", { class: "field" }, h("label", { for: id }, one.name), input) };
  });
  const form = h("form", { class: "fields", onsubmit: async (event) => {
    event.preventDefault();
    const value = (name) => inputs.find(({ one }) => one.name === name).input.value;
    const target = path(template.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(value(name))),
      Object.fromEntries(inputs.filter(({ one }) => one.in === "query").map(({ one, input }) => [one.name, input.value])));
    place.replaceChildren(h("p", {}, "Asking…"));
    try {
      const began = performance.now();
      const response = await fetch(target, { headers: headers() });
      const text = await response.text();
      const ms = Math.round(performance.now() - began);
      const type = response.headers.get("content-type") ?? "";
      const body = type.includes("json") && text ? JSON.stringify(JSON.parse(text), null, 2) : text;
      place.replaceChildren(
        h("p", {}, h("strong", {}, `${response.status}`), ` ${response.statusText} · ${ms} ms · `, h("code", {}, target)),
        h("pre", { tabindex: "0", role: "group", "aria-label": `Answer of ${template}` }, body.length > SHOWN_MAX ? `${body.slice(0, SHOWN_MAX)}\n… ${body.length - SHOWN_MAX} characters more` : body));
    } catch (error) {
      place.replaceChildren(h("p", { class: "notice bad" }, `No answer: ${error.message}`));
    }
  } }, inputs.map(({ field }) => field), h("div", { class: "actions" }, h("button", { class: "main" }, "Send")));
  return [form, place];
}

/** What is inside an operation, made when it is opened. */
function inside(method, template, operation) {
  const body = operation.requestBody;
  const types = Object.keys(body?.content ?? {});
  const parts = [prose(operation.description)];
  if (operation.parameters?.length > 0) parts.push(h("h3", {}, "Parameters"), parameterTable(operation.parameters));
  if (body) {
    parts.push(h("h3", {}, "Body"), prose(body.description), types.map((type) => {
      const fieldsOf = shape(body.content[type].schema);
      return h("div", {}, h("p", {}, h("code", {}, type), " — ", kind(body.content[type].schema)), fieldsOf);
    }));
  }
  parts.push(h("h3", {}, "Example"));
  for (const type of types.length > 0 ? types : [null]) parts.push(copied(`${operation.operationId}${type ? ` as ${type}` : ""}`, command(method, template, operation, type)));
  parts.push(h("h3", {}, "Answers"), answerTable(operation.responses));
  // A stream does not end, so there is nothing to wait for.
  const isStream = Object.values(operation.responses).some((response) => response.content?.["text/event-stream"]);
  if (method === "get" && !isStream) parts.push(h("h3", {}, "Try it"), ...trial(template, operation));
  return h("div", { class: "inside" }, ...parts.flat());
}

function entry(method, template, operation) {
  const details = h("details", { class: "operation", id: operation.operationId, ontoggle: () => {
    if (details.open && !details.querySelector(".inside")) details.append(inside(method, template, operation));
  } }, h("summary", {}, h("span", { class: "method", "data-method": method }, method.toUpperCase()),
    h("code", { class: "path" }, template), h("span", { class: "what" }, operation.summary)));
  return details;
}

/** Opens the operation that the address names. */
function openNamed() {
  const details = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!details?.matches(".operation")) return;
  details.open = true;
  details.scrollIntoView();
  details.querySelector("summary").focus();
}

/** Shows the operations that hold every word of a text. */
function filter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const section of document.querySelectorAll("section.subject")) {
    for (const details of section.querySelectorAll(".operation")) {
      const said = `${details.id} ${details.querySelector("summary").textContent}`.toLowerCase();
      details.hidden = !words.every((word) => said.includes(word));
      if (!details.hidden) count += 1;
    }
    section.hidden = section.querySelector(".operation:not([hidden])") === null;
  }
  byId("count").textContent = count === 1 ? "1 operation" : `${count} operations`;
}

async function main() {
  openPage("API");
  try {
    api = await ask("/openapi.json");
  } catch (error) {
    trouble(error);
    return;
  }
  byId("introduction").append(...prose(api.info.description));
  const operations = Object.entries(api.paths).flatMap(([template, item]) =>
    Object.entries(item).map(([method, operation]) => ({ template, method, operation })));
  for (const [index, tag] of api.tags.entries()) {
    const own = operations.filter(({ operation }) => operation.tags[0] === tag.name);
    if (own.length === 0) continue;
    const id = `subject-${index}`;
    byId("subjects").append(h("li", {}, h("a", { href: `#${id}` }, tag.name)));
    byId("operations").append(h("section", { class: "subject", id, "aria-labelledby": `${id}-name` },
      h("h2", { id: `${id}-name` }, tag.name), prose(tag.description),
      own.map(({ method, template, operation }) => entry(method, template, operation))));
  }
  byId("filter").addEventListener("input", (event) => filter(event.target.value));
  filter("");
  window.addEventListener("hashchange", openNamed);
  openNamed();
}

await main();

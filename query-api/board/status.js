// What a state looks like: one shape each, so that colour is never the only sign.

import { h, svg } from "./page.js";
import { t } from "./words.js";

/** States, worst first; within one, tiles keep their order. */
export const STATES = ["down", "external", "unknown", "planned", "degraded", "idle", "up"];

const SHAPES = {
  down: "M5 0h6l5 5v6l-5 5H5l-5-5V5zM3.5 6.5v3h9v-3z",
  external: "M8 0l8 15.5H0zM7 5.5v5h2v-5zm0 6.5v2h2v-2z",
  unknown: "M8 0a8 8 0 100 16A8 8 0 008 0zM7 12h2v2H7zm2-1.5H7c0-3 2.4-2.9 2.4-4.7C9.4 4.9 8.8 4.4 8 4.4s-1.4.6-1.4 1.6h-2C4.6 3.9 6 2.5 8 2.5s3.4 1.2 3.4 3.2C11.4 8.3 9 8.3 9 10.5z",
  planned: "M0 0h16v16H0zM4 3.5v9h3v-9zm5 0v9h3v-9z",
  degraded: "M8 0l8 8-8 8-8-8zM7 4v5h2V4zm0 6v2h2v-2z",
  idle: "M8 0a8 8 0 100 16A8 8 0 008 0zm0 3a5 5 0 110 10A5 5 0 018 3z",
  up: "M8 0a8 8 0 100 16A8 8 0 008 0zM6 4l6.5 4L6 12z",
  before: "M0 7h16v2H0z",
};

/** The state of a line's row. */
export function stateOf(line) {
  if (line.class === "down") return stateOfStatus(line.status);
  if (line.class === "up") return line.status === "DEGRADED" ? "degraded" : "up";
  return line.class === "idle" ? "idle" : "unknown";
}

/** The state of a status inside a stop. */
export function stateOfStatus(status) {
  if (status === "PLANNED_STOP" || status === "CHANGEOVER") return "planned";
  return status === "BLOCKED" || status === "STARVED" ? "external" : "down";
}

/** The state of a run of a timeline's segment. */
export function stateOfRun(kind, status) {
  return kind === "down" ? stateOfStatus(status) : kind;
}

/** The shape of a state. */
export function shape(state) {
  return svg("svg", { class: "shape", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: SHAPES[state], "fill-rule": "evenodd" }));
}

/** Shape and word of a status. */
export function stateLabel(state, status) {
  return h("span", { class: "state" }, shape(state), h("span", {}, t(status)));
}

/** Shape and word of a status on its colour. */
export function badge(state, status) {
  const outlined = state === "up" || state === "idle";
  return h("span", { class: outlined ? "state badge outlined" : "state badge", "data-state": state }, shape(state), h("span", {}, t(status)));
}

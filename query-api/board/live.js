// The live stream: it stays connected without a hand, says when what is shown is old, and loads the page again when the
// program behind it is another one.
//
// Read with `fetch`, not `EventSource`, for the sake of the token and of a connection that hangs without a word.

import { headers, path } from "./api.js";
import { elapsed, heardTime, now } from "./clock.js";
import { build, byId } from "./page.js";
import { t } from "./words.js";

/** After so long without news, what is shown is old. */
const STALE_MS = 10_000;
/** The stream speaks each second: after so long it is the contact that is missing, not news. */
const UNHEARD_MS = 3_000;
/** After so long without a byte, the connection is taken for dead. */
const SILENT_MS = 15_000;

/**
 * Follows the stream. `on` has a function for each event by its name (`line`, `interval`, `retracted`, `directory`), and
 * `start`, called on each connection that has missed something: read everything again.
 */
export function follow(query, on) {
  const stream = new Stream(query, on);
  stream.run();
  setInterval(() => stream.judge(), 1000);
  // A tab that slept, or a network that came back, need not wait for the next try.
  for (const event of ["online", "pageshow"]) addEventListener(event, () => stream.hurry());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && stream.hurry());
  return stream;
}

/** Loads the page of another build, once: a proxy that keeps giving out the old page must not make it blink for ever. */
function reload(to) {
  try {
    if (sessionStorage.getItem("andon.reloaded") === to) return;
    sessionStorage.setItem("andon.reloaded", to);
  } catch { /* without storage it is tried each time */ }
  location.reload();
}

class Stream {
  constructor(query, on) {
    this.query = query;
    this.on = on;
    this.lastId = null;
    this.heardAt = null;
    this.asOf = null;
    this.waitMs = 500;
    this.isOpen = false;
    this.judge();
  }

  async run() {
    for (;;) {
      let pause = this.waitMs * (0.5 + Math.random());
      try {
        await this.connect();
        pause = 100; // ended as it may: go on
      } catch { /* told by `judge` */ }
      this.isOpen = false;
      this.judge();
      await new Promise((done) => {
        this.hurry = () => done();
        setTimeout(done, pause);
      });
      this.hurry = () => {};
      this.waitMs = Math.min(this.waitMs * 2, 5_000);
    }
  }

  hurry() {}

  async connect() {
    const controller = new AbortController();
    let watch = setTimeout(() => controller.abort(), SILENT_MS);
    try {
      const asked = headers({ accept: "text/event-stream" });
      if (this.lastId) asked["last-event-id"] = this.lastId;
      const response = await fetch(path("/v1/events", this.query), { headers: asked, signal: controller.signal, cache: "no-store" });
      if (!response.ok) {
        if (!this.hasAsked && (response.status === 401 || response.status === 403)) {
          this.hasAsked = true;
          document.dispatchEvent(new CustomEvent("andon:token", { detail: null }));
        }
        throw new Error(String(response.status));
      }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(watch);
        watch = setTimeout(() => controller.abort(), SILENT_MS);
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) this.take(block);
      }
    } finally {
      clearTimeout(watch);
      controller.abort();
    }
  }

  take(block) {
    let [name, data, id] = ["message", "", null];
    for (const row of block.split("\n")) {
      const [field, value] = [row.slice(0, row.indexOf(":")), row.slice(row.indexOf(":") + 1).replace(/^ /, "")];
      if (field === "event") name = value;
      else if (field === "data") data += value;
      else if (field === "id") id = value;
    }
    if (!data) return;
    const content = JSON.parse(data);
    const isNew = !this.lastId;
    if (id) this.lastId = id;
    this.heardAt = performance.now();
    this.waitMs = 500;
    if (name === "hello") {
      if (content.build !== build()) reload(content.build);
      this.isOpen = true;
      this.progress(content);
      if (isNew || this.missed) this.restart();
      return;
    }
    if (name === "progress") this.progress(content);
    else if (name === "reset") this.restart();
    else this.on[name]?.(content);
  }

  progress({ now: time, as_of: asOf }) {
    heardTime(time);
    this.asOf = asOf === null ? null : Date.parse(asOf);
    this.judge();
  }

  async restart() {
    this.missed = true;
    try {
      await this.on.start?.();
      this.missed = false;
    } catch {
      this.missed = true;
      setTimeout(() => this.missed && this.restart(), 2_000);
    }
  }

  /** Says whether what is shown is old. */
  judge() {
    const silent = performance.now() - (this.heardAt ?? 0);
    const behind = this.asOf === null ? 0 : now() - this.asOf;
    let words = null;
    if (this.heardAt === null) words = silent > STALE_MS ? t("stale.never") : null;
    else if (Math.max(silent, behind) > STALE_MS) words = silent > UNHEARD_MS ? t("stale.lost", { age: elapsed(silent) }) : t("stale.behind", { age: elapsed(behind) });
    const pulse = byId("pulse");
    if (pulse) {
      pulse.hidden = false;
      pulse.dataset.is = words ? "stale" : this.isOpen ? "live" : "connecting";
      const said = words ? t("stale.short") : t(this.isOpen ? "live" : "connecting");
      if (pulse.textContent !== said) pulse.textContent = said;
    }
    const note = document.querySelector(".stale-note");
    note.hidden = words === null;
    note.querySelector("p").textContent = words ?? "";
    if (words === null) delete document.documentElement.dataset.stale;
    else document.documentElement.dataset.stale = "";
    const mark = "⚠ ";
    const title = document.title.replace(mark, "");
    document.title = words === null ? title : mark + title;
  }
}

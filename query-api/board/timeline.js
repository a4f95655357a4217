// The picture of a line's time: what it did in a window, to be moved and zoomed by hand, wheel and keyboard.

import { fully, shortly, span, timeOfDay } from "./clock.js";
import { svg } from "./page.js";
import { stateOfRun } from "./status.js";
import { language, t } from "./words.js";

const HEIGHT = 136;
const LANE = { top: 10, height: 84 };
/** The window is never narrower than a minute and never wider than ten years. */
const WIDTH_MS = { min: 60_000, max: 10 * 366 * 86_400_000 };

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY];

/**
 * A timeline in `place`. `onmove({from, to})` is called when a hand moved the window, `onsay(text)` with words about the run
 * that is pointed at. `draw({from, to, runs, firstAt, now})` shows a window: `runs` as the API lists them, production from
 * `firstAt` (none: nothing is known) to `now` wherever no run is.
 */
export class Timeline {
  constructor(place, { onmove, onsay }) {
    Object.assign(this, { place, onmove, onsay, chosen: null, shown: null });
    place.addEventListener("keydown", (event) => this.key(event));
    place.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    place.addEventListener("pointerdown", (event) => this.grab(event));
    new ResizeObserver(() => this.shown && this.draw(this.shown)).observe(place);
  }

  draw(shown) {
    this.shown = shown;
    const { from, to, firstAt, now } = shown;
    const width = Math.max(200, this.place.clientWidth);
    const x = (time) => ((Math.min(Math.max(time, from), to) - from) / (to - from)) * width;
    const bar = (state, start, end, more = {}) => svg("rect", {
      class: more.isChosen ? "run chosen" : "run", "data-state": state, x: x(start), y: LANE.top,
      // A stop of a second in a month is still seen.
      width: Math.max(x(end) - x(start), 1.5), height: LANE.height, ...more.attributes,
    });
    const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": this.summary() },
      svg("defs", {}, svg("pattern", { id: "stripes", width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        svg("rect", { class: "stripe-ground", width: 8, height: 8 }), svg("rect", { class: "stripe", width: 3, height: 8 }))),
      svg("rect", { class: "lane", x: 0, y: LANE.top, width, height: LANE.height }));
    const end = Math.min(to, now);
    if (firstAt !== null && firstAt < end) picture.append(bar("up", Math.max(firstAt, from), end));
    this.pieces = pieces(shown);
    this.pieces.forEach((piece, index) => {
      const isChosen = this.chosen === piece.run.id;
      picture.append(bar(piece.state, piece.start, piece.end, { isChosen, attributes: { "data-piece": index } }));
    });
    for (const { at, words, isStrong } of ticks(from, to, width)) {
      picture.append(svg("line", { class: isStrong ? "tick strong" : "tick", x1: x(at), x2: x(at), y1: LANE.top, y2: LANE.top + LANE.height + 8 }));
      if (x(at) < width - 40) picture.append(svg("text", { x: x(at) + 4, y: HEIGHT - 16 }, words));
    }
    if (now > from && now < to) picture.append(svg("line", { class: "now-mark", x1: x(now), x2: x(now), y1: 0, y2: LANE.top + LANE.height + 8 }));
    picture.addEventListener("pointermove", (event) => {
      const index = event.target.dataset?.piece;
      if (index !== undefined) this.onsay(describe(this.pieces[index]));
    });
    picture.addEventListener("click", (event) => {
      const index = event.target.dataset?.piece;
      if (index !== undefined && !this.wasDragged) this.choose(this.pieces[index].run.id);
    });
    this.place.replaceChildren(picture);
  }

  /** Marks a run, and says what it is. */
  choose(id) {
    this.chosen = id;
    this.draw(this.shown);
    const piece = this.pieces.find((one) => one.run.id === id);
    if (piece) this.onsay(describe(piece));
  }

  summary() {
    const { from, to, runs, now } = this.shown;
    const stops = runs.filter((run) => run.kind === "down");
    const down = stops.reduce((sum, run) => sum + within(run, from, Math.min(to, now)), 0);
    return t("line.picture", { from: fully(from), to: fully(to), count: stops.length, down: span(down) });
  }

  move(share) {
    const { from, to } = this.shown;
    const by = Math.round((to - from) * share);
    this.onmove({ from: from + by, to: to + by });
  }

  zoom(factor, at = 0.5) {
    const { from, to } = this.shown;
    const width = Math.min(Math.max((to - from) * factor, WIDTH_MS.min), WIDTH_MS.max);
    const still = from + (to - from) * at;
    this.onmove({ from: Math.round(still - width * at), to: Math.round(still + width * (1 - at)) });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      ArrowLeft: () => this.move(-0.1), ArrowRight: () => this.move(0.1),
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      Home: () => this.toNow(), PageUp: () => this.step(-1), PageDown: () => this.step(1),
    };
    const act = acts[event.key];
    if (!act || !this.shown) return;
    event.preventDefault();
    act();
  }

  /** Moves the window so that it ends now. */
  toNow() {
    const { from, to, now } = this.shown;
    this.onmove({ from: now - (to - from), to: now });
  }

  step(by) {
    const runs = this.shown.runs;
    if (runs.length === 0) return;
    const at = runs.findIndex((run) => run.id === this.chosen);
    const next = at < 0 ? (by > 0 ? 0 : runs.length - 1) : Math.min(Math.max(at + by, 0), runs.length - 1);
    this.choose(runs[next].id);
  }

  wheel(event) {
    if (!this.shown) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const box = this.place.getBoundingClientRect();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, (event.clientX - box.left) / box.width);
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.move(event.deltaX / this.place.clientWidth);
    }
  }

  grab(event) {
    if (!this.shown || event.button !== 0) return;
    const { from, to } = this.shown;
    const start = event.clientX;
    this.wasDragged = false;
    const move = (moved) => {
      const by = moved.clientX - start;
      if (Math.abs(by) < 4 && !this.wasDragged) return;
      this.wasDragged = true;
      const shift = Math.round((-by / this.place.clientWidth) * (to - from));
      this.onmove({ from: from + shift, to: to + shift });
    };
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }
}

/** How much of a run lies in a window, in ms. */
export function within(run, from, to) {
  const end = run.ended_at === null ? to : Date.parse(run.ended_at);
  return Math.max(0, Math.min(end, to) - Math.max(Date.parse(run.started_at), from));
}

/** The segments of all runs, as they are drawn: an open one reaches to now. */
function pieces({ from, to, runs, now }) {
  return runs.flatMap((run) => run.segments.map((segment) => ({
    run, segment,
    state: stateOfRun(run.kind, segment.status),
    start: Date.parse(segment.started_at),
    end: segment.ended_at === null ? now : Date.parse(segment.ended_at),
  }))).filter((piece) => piece.end > from && piece.start < to);
}

function describe({ run, segment, start, end }) {
  const reason = segment.reason_code ?? (run.kind === "down" ? t("reason.unknown") : null);
  const until = segment.ended_at === null ? "…" : shortly(end);
  return [`${t(segment.status)} ${shortly(start)} – ${until} (${span(end - start)})`, reason, segment.source_status].filter(Boolean).join(" · ");
}

const date = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { day: "numeric", month: "short" });
const month = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { month: "short", year: "numeric" });

/** Marks of the time scale at round local times, about one each 110 pixels; midnights are strong. */
function ticks(from, to, width) {
  const least = ((to - from) / width) * 110;
  const step = STEPS.find((one) => one >= least);
  if (step === undefined) return months(from, to, least);
  const marks = [];
  const day = new Date(from);
  day.setHours(0, 0, 0, 0);
  for (let count = 0; day.getTime() < to; count += 1) {
    const midnight = day.getTime();
    day.setDate(day.getDate() + 1);
    if (step >= DAY) {
      if (count % (step / DAY) === 0 && midnight >= from) marks.push({ at: midnight, words: date.format(midnight), isStrong: true });
      continue;
    }
    for (let at = midnight; at < day.getTime() && at < to; at += step) {
      if (at < from) continue;
      const words = at === midnight ? date.format(at) : step < MINUTE ? timeOfDay(at) : timeOfDay(at).slice(0, 5);
      marks.push({ at, words, isStrong: at === midnight });
    }
  }
  return marks;
}

function months(from, to, least) {
  const every = Math.max(1, Math.ceil(least / (30 * DAY)));
  const first = new Date(from);
  const marks = [];
  for (let at = new Date(first.getFullYear(), first.getMonth(), 1); at.getTime() < to; at.setMonth(at.getMonth() + every)) {
    if (at.getTime() >= from) marks.push({ at: at.getTime(), words: month.format(at), isStrong: at.getMonth() === 0 });
  }
  return marks;
}

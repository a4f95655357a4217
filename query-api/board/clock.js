// Time: the server's clock, spans as people read them, instants in the reader's zone.

import { language } from "./words.js";

let offset = Date.now() - performance.now();

/** Takes the server's time. What it took to get here makes this clock late by as much, never early. */
export function heardTime(text) {
  const server = Date.parse(text);
  if (Number.isNaN(server)) return;
  offset = server - performance.now();
}

/** The server's time now, in ms: a wrong clock of this screen does not matter. */
export function now() {
  return performance.now() + offset;
}

const two = (number) => String(number).padStart(2, "0");

/** How long something has lasted, as a clock: 0:07, 12:34, 3:07:21, 2 d 03:12, 720 d. */
export function elapsed(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [s, m, h, d] = [seconds % 60, Math.floor(seconds / 60) % 60, Math.floor(seconds / 3600) % 24, Math.floor(seconds / 86400)];
  if (d >= 100) return `${d} d`;
  if (d > 0) return `${d} d ${two(h)}:${two(m)}`;
  if (h > 0) return `${h}:${two(m)}:${two(s)}`;
  return `${m}:${two(s)}`;
}

/** A span in words: 45 s, 12 min 05 s, 3 h 07 min, 2 d 03 h. */
export function span(ms) {
  if (ms < 1000) return ms <= 0 ? "0 s" : "< 1 s";
  const seconds = Math.floor(ms / 1000);
  const [s, m, h, d] = [seconds % 60, Math.floor(seconds / 60) % 60, Math.floor(seconds / 3600) % 24, Math.floor(seconds / 86400)];
  if (d > 0) return h ? `${d} d ${two(h)} h` : `${d} d`;
  if (h > 0) return m ? `${h} h ${two(m)} min` : `${h} h`;
  if (m > 0) return s ? `${m} min ${two(s)} s` : `${m} min`;
  return `${s} s`;
}

const format = (options) => new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, options);
const clockTime = format({ hour: "2-digit", minute: "2-digit" });
const clockSeconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndTime = format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const yearAndTime = format({ year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const exactly = format({ year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** The reader's time zone. */
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** An instant as short as it can be told apart from others near now: the time today, with the day before, with the year long ago. */
export function shortly(ms) {
  const [then, today] = [new Date(ms), new Date(now())];
  if (then.toDateString() === today.toDateString()) return clockTime.format(then);
  return (then.getFullYear() === today.getFullYear() ? dayAndTime : yearAndTime).format(then);
}

/** An instant to the second, with its date. */
export function fully(ms) {
  return exactly.format(new Date(ms));
}

/** A time of day to the second. */
export function timeOfDay(ms) {
  return clockSeconds.format(new Date(ms));
}

/** What a `datetime-local` field holds for an instant. */
export function toField(ms) {
  const date = new Date(ms);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The instant of a `datetime-local` field, none if it is empty. */
export function fromField(text) {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** RFC 3339 in UTC. */
export function stamp(ms) {
  return new Date(ms).toISOString();
}

// A small plant in which every state is there, with a past.

import { until } from "./andon.js";

const MINUTE = 60_000;
const HALL_1 = ["Valencia", "Hall 1"];
const HALL_2 = ["Valencia", "Hall 2"];

/** Lines, their place, and what they reported: minutes ago, status, reason. */
const LINES = [
  ["press-1", HALL_1, [[190, "RUNNING"], [150, "STOPPED", "JAM"], [141, "RUNNING"], [70, "CHANGEOVER", "ORDER-4711"], [48, "RUNNING"], [7, "FAULTED", "MOTOR-OVERLOAD"]]],
  ["press-2", HALL_1, [[190, "RUNNING"], [12, "IDLE"]]],
  ["weld-2", HALL_1, [[190, "RUNNING"], [100, "BLOCKED"], [92, "RUNNING"], [3, "STARVED", "NO-MATERIAL"]]],
  ["paint-3", HALL_2, [[190, "RUNNING"], [26, "PLANNED_STOP", "CLEANING"]]],
  ["pack-4", HALL_2, [[190, "RUNNING"], [55, "STOPPED"], [52, "RUNNING"]]],
  ["pack-5", HALL_2, [[190, "RUNNING"], [18, "DEGRADED", "SLOW"]]],
  ["oven-6", HALL_2, [[190, "RUNNING"], [40, "UNKNOWN"]]],
  ["saw-7", HALL_2, [[130, "RUNNING"]]],
];

/** Reports the plant's past, and waits until it is in the answers. */
export async function furnish(andon, now = Date.now()) {
  for (const [line, above] of LINES) await andon.register(line, above);
  const rows = LINES.flatMap(([line, , past]) => past.map(([ago, status, reason]) => ({
    line_id: line, event_time: new Date(now - ago * MINUTE).toISOString(), status, ...(reason ? { reason_code: reason } : {}),
  })));
  await andon.ask("/v1/line-status", "POST", rows.sort((a, b) => a.event_time.localeCompare(b.event_time)));
  // One clock a day fast, and something that says it is another line: dead letters.
  await andon.report("press-1", "RUNNING", { at: now + 24 * 60 * MINUTE });
  await until("the plant is in the views", async () => {
    const { items } = await andon.ask("/v1/lines?limit=100");
    const { items: dead } = await andon.ask("/v1/dead-letters");
    return items.filter((line) => line.since !== null).length === LINES.length && items.find((line) => line.line_id === "press-1").status === "FAULTED" && dead.length === 1;
  });
}

// The page of a line: its picture moves by hand and keyboard, its sums add up, and it says who was told.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Andon, until } from "./support/andon.js";
import { openBrowser, openPage } from "./support/browser.js";
import { furnish } from "./support/plant.js";

let browser, andon, page;
before(async () => {
  [browser, andon] = await Promise.all([openBrowser(), Andon.start({ ANDON_FOLD__ALLOWED_LATENESS: "1d" })]);
  await furnish(andon);
  page = await openPage(browser);
});
after(async () => {
  await browser.close();
  await andon.stop();
  assert.deepEqual(page.complaints, []);
});

const windowOf = () => page.evaluate(() => new URL(location.href).search);

test("the line, its stops with reasons, and totals that add up to the window", async () => {
  await page.goto(`${andon.url}/lines/press-1`);
  await page.locator("#stops tbody tr").first().waitFor();
  assert.match(await page.locator("#now").innerText(), /Faulted[\s\S]*MOTOR-OVERLOAD/);
  const rows = await page.locator("#stops tbody tr").allInnerTexts();
  assert.equal(rows.length, 3);
  assert.match(rows[0], /22 min[\s\S]*Changeover[\s\S]*ORDER-4711/, "the longest first");
  assert.match(rows[1], /9 min[\s\S]*Stopped[\s\S]*JAM/);
  assert.match(rows[2], /still down[\s\S]*Faulted/);
  const shares = await page.locator("#totals .quiet-text").allInnerTexts();
  const sum = shares.reduce((total, text) => total + parseFloat(text), 0);
  assert.ok(Math.abs(sum - 100) < 0.5, `${shares} add up to ${sum}`);
});

test("the timeline moves and zooms by keyboard, and the address keeps the window", async () => {
  await page.goto(`${andon.url}/lines/press-1`);
  await page.locator("#timeline svg").waitFor();
  assert.equal(await windowOf(), "");
  await page.locator("#timeline").focus();
  const label = () => page.locator("#timeline svg").getAttribute("aria-label");
  const before = await label();
  await page.keyboard.press("ArrowLeft");
  await until("the window moved", async () => (await label()) !== before);
  assert.match(await windowOf(), /from=.*to=/);
  const moved = await label();
  await page.keyboard.press("+");
  await until("the window is narrower", async () => (await label()) !== moved);
  await page.keyboard.press("Home");
  await until("the window ends now", async () => (await windowOf()) === "" && (await page.locator("#timeline .run[data-state=down]").count()) > 0);
  await page.keyboard.press("PageDown");
  await until("a run is told", async () => /Stopped.*JAM/.test(await page.locator("#tip").innerText()));
});

test("a stop is in the picture as soon as it is told", async () => {
  await page.goto(`${andon.url}/lines/saw-7`);
  await page.locator("#now[data-state=up]").waitFor();
  await andon.report("saw-7", "STOPPED", { reason_code: "BLADE" });
  await page.locator("#now[data-state=down]").waitFor();
  await page.locator("#timeline .run[data-state=down]").waitFor({ state: "attached" });
  await page.locator("#stops tbody tr", { hasText: "BLADE" }).waitFor();
  await andon.report("saw-7", "RUNNING");
  await page.locator("#now[data-state=up]").waitFor();
});

test("who was told what is there, without an address", async () => {
  await andon.ask("/v1/subscriptions", "POST", { email: "anna@plant.example", node: "pack-4" });
  await andon.report("pack-4", "FAULTED");
  await page.goto(`${andon.url}/lines/pack-4`);
  await page.locator("#told tbody tr", { hasText: "sent" }).waitFor();
  assert.doesNotMatch(await page.locator("body").innerText(), /anna/);
});

test("a line that nobody knows is told as such", async () => {
  await page.goto(`${andon.url}/lines/nobody`);
  await page.locator("#trouble:not([hidden])").waitFor();
  assert.match(await page.locator("#trouble").innerText(), /Nothing is known/);
});

// The page of the API: every operation opens, examples are copied, reading routes are tried.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Andon } from "./support/andon.js";
import { findings, openBrowser, openPage, overflow } from "./support/browser.js";
import { furnish } from "./support/plant.js";

let browser, andon, page;
before(async () => {
  [browser, andon] = await Promise.all([openBrowser(), Andon.start({ ANDON_FOLD__ALLOWED_LATENESS: "1d" })]);
  await furnish(andon);
  page = await openPage(browser, { permissions: ["clipboard-read", "clipboard-write"] });
});
after(async () => {
  await browser.close();
  await andon.stop();
  assert.deepEqual(page.complaints, []);
});

const open = async (id) => {
  await page.goto(`${andon.url}/docs#${id}`);
  await page.locator(`#${id} .inside`).waitFor();
};

test("every operation of the document opens, and axe finds nothing in it", async () => {
  const document = await (await fetch(`${andon.url}/openapi.json`)).json();
  const ids = Object.values(document.paths).flatMap((item) => Object.values(item).map((one) => one.operationId));
  await open("list_lines");
  assert.equal(await page.locator(".operation").count(), ids.length);
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
  for (const id of ids) await page.locator(`#${id} .inside`).waitFor();
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
  assert.deepEqual(await findings(page), []);
  assert.ok(await overflow(page) <= 0);
  for (const id of ids) {
    const text = await page.locator(`#${id} .inside`).textContent();
    assert.doesNotMatch(text, /undefined|\[object/, id);
  }
});

test("an example is copied, and does what it says", async () => {
  await open("ingest");
  const button = page.getByRole("button", { name: "Copy: ingest as text/csv" });
  await button.click();
  await page.locator("#ingest [role=status]", { hasText: "Copied." }).waitFor();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(command, /^curl -X POST 'http:\/\/127\.0\.0\.1:\d+\/v1\/line-status' -H 'content-type: text\/csv' --data-binary 'line_id,/);
});

test("a reading route is tried by keyboard, and its answer is told", async () => {
  await open("show_line");
  await page.focus("#show_line-line");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("press-1");
  await page.keyboard.press("Enter");
  const answer = page.locator("#show_line .answer pre");
  await answer.waitFor();
  assert.equal(JSON.parse(await answer.textContent()).line_id, "press-1");
  await page.fill("#show_line-line", "nobody");
  await page.keyboard.press("Enter");
  await page.locator("#show_line .answer strong", { hasText: "404" }).waitFor();
});

test("operations are found by words", async () => {
  await open("list_lines");
  await page.fill("#filter", "dead letter again");
  assert.deepEqual(await page.locator(".operation:not([hidden])").evaluateAll((found) => found.map(({ id }) => id)), ["redrive_dead_letter"]);
  await page.locator("#count", { hasText: "1 operation" }).waitFor();
});

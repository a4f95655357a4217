// What people see: the board follows the lines, says when it is old, and finds back without a hand.

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, test } from "node:test";

import { Andon, until } from "./support/andon.js";
import { openBrowser, openPage } from "./support/browser.js";

let browser, andon, page;
before(async () => { browser = await openBrowser(); });
after(() => browser.close());
beforeEach(async () => {
  andon = await Andon.start();
  page = await openPage(browser);
});
afterEach(async () => {
  const { complaints } = page;
  await page.context().close();
  await andon.stop();
  assert.deepEqual(complaints, []);
});

const tile = (line) => page.locator(`.tile[data-line="${line}"]`);
const stateOf = (line, state) => page.locator(`.tile[data-line="${line}"][data-state="${state}"]`).waitFor();
const order = () => page.locator(".tile").evaluateAll((tiles) => tiles.map((one) => one.dataset.line));

test("a tile turns red when its line stops and green when it runs again, the worst stands first", async () => {
  await andon.register("aaa", ["Hall 1"]);
  await andon.report("aaa", "RUNNING");
  await andon.report("zzz", "RUNNING");
  await page.goto(andon.url);
  await stateOf("aaa", "up");
  await stateOf("zzz", "up");
  assert.deepEqual(await order(), ["aaa", "zzz"], "in the order of their places");

  await andon.report("zzz", "FAULTED", { reason_code: "MOTOR-OVERLOAD" });
  await stateOf("zzz", "down");
  assert.deepEqual(await order(), ["zzz", "aaa"]);
  const red = tile("zzz");
  assert.match(await red.innerText(), /Faulted[\s\S]*\d+:\d\d[\s\S]*MOTOR-OVERLOAD/);
  const before = await red.locator(".elapsed").innerText();
  await until("the time goes on", async () => (await red.locator(".elapsed").innerText()) !== before);
  assert.match(await page.locator("#news").innerText(), /zzz: Faulted/, "a screen reader hears it");

  await andon.report("zzz", "RUNNING");
  await stateOf("zzz", "up");
  assert.deepEqual(await order(), ["aaa", "zzz"]);
});

test("without news the board says that it is old, and recovers by itself", async () => {
  await andon.report("press-1", "RUNNING");
  await page.goto(andon.url);
  await stateOf("press-1", "up");
  assert.equal(await page.locator(".stale-note").isVisible(), false);
  await andon.kill();
  await page.locator(".stale-note").waitFor();
  assert.match(await page.locator(".stale-note").innerText(), /STALE[\s\S]*No contact/);
  assert.match(await page.title(), /⚠/);
  const stopped = await tile("press-1").locator(".elapsed").innerText();
  await andon.restart();
  await andon.report("press-1", "FAULTED");
  await stateOf("press-1", "down");
  await page.locator(".stale-note").waitFor({ state: "hidden" });
  assert.doesNotMatch(await page.title(), /⚠/);
  assert.notEqual(stopped, "");
});

test("what came while the board was away is there when it comes back", async () => {
  await andon.report("press-1", "RUNNING");
  await page.goto(andon.url);
  await stateOf("press-1", "up");
  await page.context().setOffline(true);
  await andon.report("press-1", "BLOCKED");
  await andon.report("new-line", "RUNNING");
  await page.context().setOffline(false);
  await stateOf("press-1", "external");
  await stateOf("new-line", "up");
});

test("a page of another build loads itself again, once", async () => {
  let loads = 0;
  await page.route(andon.url + "/", async (route) => {
    loads += 1;
    const response = await route.fetch();
    const body = await response.text();
    await route.fulfill({ response, body: loads === 1 ? body.replace(/name="build" content="[^"]*"/, 'name="build" content="0.0.0-old"') : body });
  });
  await andon.report("press-1", "RUNNING");
  await page.goto(andon.url);
  await until("the page was loaded again", async () => loads === 2);
  await stateOf("press-1", "up");
  assert.equal(loads, 2);
});

test("an area shows its lines alone, also by its address, and a count shows one state alone", async () => {
  await andon.register("press-1", ["Valencia", "Hall 1"]);
  await andon.register("pack-4", ["Valencia", "Hall 2"]);
  await andon.report("press-1", "RUNNING");
  await andon.report("pack-4", "STOPPED");
  await page.goto(andon.url);
  await stateOf("press-1", "up");
  await stateOf("pack-4", "down");
  await page.selectOption("#area", "Valencia/Hall 1");
  await until("one tile", async () => (await order()).join() === "press-1");
  await page.reload();
  await stateOf("press-1", "up");
  assert.deepEqual(await order(), ["press-1"]);
  await page.selectOption("#area", "");
  await page.getByRole("button", { name: /1\s*Down/ }).click();
  await until("what is down", async () => (await order()).join() === "pack-4");
});

test("a line that is removed goes, one that is registered comes before it says anything", async () => {
  await page.goto(andon.url);
  await page.locator("#nothing").waitFor();
  await andon.register("ghost", ["Hall 1"]);
  await stateOf("ghost", "unknown");
  await andon.ask("/v1/lines/ghost", "DELETE");
  await tile("ghost").waitFor({ state: "detached" });
});

test("however long a state has lasted, its time fits the tile", async () => {
  const day = 86_400_000;
  const ago = { seconds: 7_000, minutes: 754_000, hours: 23 * 3_600_000, days: 9.5 * day, weeks: 87.4 * day, years: 1_321 * day };
  for (const [line, ms] of Object.entries(ago)) await andon.report(line, "RUNNING", { at: Date.now() - ms });
  for (const viewport of [{ width: 1920, height: 1080 }, { width: 1000, height: 700 }, { width: 390, height: 844 }]) {
    await page.setViewportSize(viewport);
    await page.goto(andon.url);
    await page.locator(".tile").nth(5).waitFor();
    const cut = await page.locator(".tile > a").evaluateAll((tiles) => tiles.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.innerText));
    assert.deepEqual(cut, [], `at ${viewport.width} pixels`);
  }
  const shown = await page.locator(".tile .elapsed").allInnerTexts();
  for (const pattern of [/^0:\d\d$/, /^12:\d\d$/, /^23:00:\d\d$/, /^9 d 12:00$/, /^87 d 09:3\d$/, /^1321 d$/]) assert.ok(shown.some((text) => pattern.test(text)), `${pattern} in ${shown}`);
});

test("a name full of markup is a name", async () => {
  const name = "<img src=x onerror=alert(1)>\"'&amp;";
  await andon.report(name, "FAULTED", { reason_code: "<script>alert(2)</script>" });
  await page.goto(andon.url);
  await page.locator(".tile").waitFor();
  assert.match(await page.locator(".tile").innerText(), /<img src=x onerror=alert\(1\)>"'&amp;/);
  await page.locator(".tile a").click();
  await page.locator("#now .elapsed").waitFor();
  assert.equal(await page.locator("h1").innerText(), name);
});

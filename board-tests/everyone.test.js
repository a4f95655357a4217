// For everyone: axe finds nothing on any page, light and dark, in both languages; nothing is wider than a phone; the board
// is worked by keyboard alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Andon } from "./support/andon.js";
import { findings, openBrowser, openPage, overflow } from "./support/browser.js";
import { PAGES, ready } from "./support/pages.js";
import { furnish } from "./support/plant.js";

let browser, andon;
before(async () => {
  [browser, andon] = await Promise.all([openBrowser(), Andon.start({ ANDON_FOLD__ALLOWED_LATENESS: "1d" })]);
  await furnish(andon);
});
after(async () => {
  await browser.close();
  await andon.stop();
});

for (const colorScheme of ["light", "dark"]) {
  for (const [locale, viewport] of [["en-GB", { width: 1280, height: 720 }], ["es-ES", { width: 390, height: 844 }]]) {
    test(`axe finds nothing: ${colorScheme}, ${locale}, ${viewport.width} wide`, async () => {
      const page = await openPage(browser, { colorScheme, locale, viewport, reducedMotion: "reduce" });
      for (const name of Object.keys(PAGES)) {
        await ready(page, andon, name);
        assert.deepEqual(await findings(page), [], name);
        assert.equal(await page.evaluate(() => document.documentElement.lang), locale.slice(0, 2));
        assert.ok(await overflow(page) <= 0, `${name} is ${await overflow(page)} px wider than the screen`);
      }
      assert.deepEqual(page.complaints, []);
      await page.context().close();
    });
  }
}

test("axe finds nothing on a board that is stale", async () => {
  const own = await Andon.start();
  await own.report("press-1", "FAULTED");
  const page = await openPage(browser);
  await page.goto(own.url);
  await page.locator(".tile").waitFor();
  await own.kill();
  await page.locator(".stale-note").waitFor();
  assert.deepEqual(await findings(page), []);
  await page.context().close();
  await own.stop();
});

test("the board is worked by keyboard alone", async () => {
  const page = await openPage(browser);
  await ready(page, andon, "board");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement.closest(".tile") !== null)) break;
  }
  assert.equal(await page.evaluate(() => document.activeElement.closest(".tile")?.dataset.line), "press-1", "the worst line is the first tile");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/lines\/press-1/);
  await page.context().close();
});

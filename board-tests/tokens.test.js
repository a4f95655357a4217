// Where tokens are asked for, the board asks for one, once, and everything on it uses it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Andon, until } from "./support/andon.js";
import { openBrowser, openPage } from "./support/browser.js";
import { furnish } from "./support/plant.js";

let browser, closed, open;
before(async () => {
  browser = await openBrowser();
  [closed, open] = await Promise.all([
    Andon.start({ ANDON_FOLD__ALLOWED_LATENESS: "1d", ANDON_HTTP__PUBLIC_READ: "false" }),
    Andon.start({ ANDON_FOLD__ALLOWED_LATENESS: "1d" }),
  ]);
  await Promise.all([furnish(closed), furnish(open)]);
});
after(async () => {
  await browser.close();
  await Promise.all([closed.stop(), open.stop()]);
});

test("a board that may not read asks for a token, and lives on it", async () => {
  const token = await closed.makeToken("wall", "read");
  await until("the token counts", async () => (await fetch(`${closed.url}/v1/lines`)).status === 401);
  const page = await openPage(browser, { acceptDownloads: true });
  await page.goto(closed.url);
  await page.locator("#token-dialog[open]").waitFor();
  await page.fill("#token-field", token);
  await page.getByRole("button", { name: "Use it" }).click();
  await page.locator('.tile[data-line="press-1"][data-state="down"]').waitFor();
  await page.locator('#pulse[data-is="live"]').waitFor();

  await page.goto(`${closed.url}/downtime`);
  await page.locator("#found tbody tr").first().waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#csv")]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  assert.match(Buffer.concat(chunks).toString("utf8"), /^id,line_id,[\s\S]*press-1/);
  await page.context().close();
});

test("what a reader may not see is told in its place, and covers nothing", async () => {
  await open.makeToken("gateway", "ingest");
  await until("the token counts", async () => (await fetch(`${open.url}/v1/dead-letters`)).status === 401);
  const page = await openPage(browser);
  await page.goto(`${open.url}/lines/press-1`);
  await page.locator("#told .empty", { hasText: "needs a token" }).waitFor();
  await page.locator("#stops tbody tr").first().waitFor();
  assert.equal(await page.locator("dialog[open]").count(), 0);
  await page.context().close();
});

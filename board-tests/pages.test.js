// The other pages: search, subscriptions, dead letters.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Andon, until } from "./support/andon.js";
import { openBrowser, openPage } from "./support/browser.js";
import { furnish } from "./support/plant.js";

let browser, andon, page;
before(async () => {
  [browser, andon] = await Promise.all([openBrowser(), Andon.start({ ANDON_FOLD__ALLOWED_LATENESS: "1d" })]);
  await furnish(andon);
  page = await openPage(browser, { acceptDownloads: true });
});
after(async () => {
  await browser.close();
  await andon.stop();
  assert.deepEqual(page.complaints, []);
});

test("downtime is found by line and by area, and exported", async () => {
  await page.goto(`${andon.url}/downtime`);
  await page.locator("#found tbody tr").first().waitFor();
  const all = await page.locator("#found tbody tr").count();
  await page.fill("#where", "press-1");
  await page.keyboard.press("Enter");
  await until("one line's stops", async () => (await page.locator("#found tbody tr").count()) === 3);
  await page.fill("#where", "Valencia/Hall 2");
  await page.keyboard.press("Enter");
  await until("an area's stops", async () => (await page.locator("#found tbody tr").count()) === 2);
  assert.ok(all > 5);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#csv")]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  const rows = Buffer.concat(chunks).toString("utf8").trim().split("\r\n");
  assert.equal(rows.length, 3, "a header and two stops");
  assert.match(rows[0], /^id,line_id,/);
});

test("a window that ends before it begins is told at the fields", async () => {
  await page.goto(`${andon.url}/downtime`);
  await page.fill("#from", "2026-01-02T00:00");
  await page.fill("#to", "2026-01-01T00:00");
  await page.click("#query button.main");
  await page.locator("#trouble:not([hidden])").waitFor();
  assert.equal(await page.locator("#from").getAttribute("aria-invalid"), "true");
});

test("somebody follows an area, sees it, is mailed, and ends it", async () => {
  await page.goto(`${andon.url}/subscriptions`);
  await page.fill("#email", "no address");
  await page.fill("#node", "Valencia/Hall 2");
  await page.click("#new button.main");
  await page.locator("#email-wrong").waitFor();
  await page.fill("#email", "anna@plant.example");
  await page.selectOption("#locale", "es");
  await page.click("#new button.main");
  await page.locator("#told.good").waitFor();
  await page.locator("#list tbody tr", { hasText: "Valencia / Hall 2" }).waitFor();
  await page.click("#new button.main");
  await page.locator("#told.bad", { hasText: "already follows" }).waitFor();

  await andon.report("saw-7", "FAULTED");
  const [down] = await until("the mail", async () => {
    const mails = await andon.mails();
    return mails.length > 0 && mails;
  });
  assert.match(down.text, /Content-Language: es|Parada|parada/);

  await page.getByRole("button", { name: /End the subscription/ }).click();
  await page.locator("#list .empty").waitFor();
  assert.doesNotMatch(page.url(), /anna/);
});

test("an address is deleted for good on the second press alone", async () => {
  await andon.ask("/v1/subscriptions", "POST", { email: "berta@plant.example", node: "press-1" });
  await page.goto(`${andon.url}/subscriptions`);
  await page.fill("#mine", "berta@plant.example");
  await page.click("#search button");
  const erase = page.getByRole("button", { name: /Delete this address/ });
  await erase.click();
  await page.getByRole("button", { name: /Press again/ }).click();
  await page.locator("#list .good").waitFor();
  assert.deepEqual((await andon.ask("/v1/subscriptions/search", "POST", { email: "berta@plant.example" })).items, []);
});

test("a dead letter is opened, read and discarded", async () => {
  await page.goto(`${andon.url}/dead-letters`);
  await page.locator("#found tbody tr", { hasText: "from the future" }).waitFor();
  await page.getByRole("button", { name: /Open/ }).first().click();
  await page.locator("#letter[open]").waitFor();
  assert.match(await page.locator("#letter-body").innerText(), /RUNNING/);
  await page.getByRole("button", { name: "Discard" }).click();
  await page.getByRole("button", { name: "Press again to discard it" }).click();
  await page.locator("#found .empty").waitFor();
  await page.check("#resolved");
  await page.locator("#found tbody tr", { hasText: "discarded" }).waitFor();
});

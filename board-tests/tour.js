// Walks the tour of `docs/tour.md` with a real andon and a real browser, and takes its pictures: `node tour.js FOLDER`.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { Andon, until } from "./support/andon.js";
import { openBrowser, openPage } from "./support/browser.js";
import { parse } from "./support/mail.js";

const folder = process.argv[2];
if (!folder) {
  console.error("usage: node tour.js FOLDER");
  process.exit(64);
}
await mkdir(folder, { recursive: true });
const [browser, andon] = await Promise.all([openBrowser(), Andon.start()]);
const picture = (page, name, options = {}) => page.screenshot({ path: join(folder, `${name}.png`), ...options });

/** Opens the HTML of a mail as a mail program shows it, under its subject. */
async function readMail(page, mail, name) {
  const { headers, bodies } = parse(mail.text);
  await page.setContent(bodies.get("text/html"));
  await picture(page, name, { fullPage: true });
  console.log(`${name}: ${headers.get("subject")}`);
  return headers;
}

try {
  const page = await openPage(browser, { viewport: { width: 1100, height: 700 }, reducedMotion: "reduce" });
  for (const [line, hall] of [["press-1", "Hall 1"], ["weld-2", "Hall 1"], ["pack-4", "Hall 2"]]) {
    await andon.register(line, ["Valencia", hall]);
    await andon.report(line, "RUNNING", { at: Date.now() - 3_600_000 });
  }

  await page.goto(`${andon.url}/subscriptions`);
  await page.fill("#email", "anna@plant.example");
  await page.fill("#node", "Valencia/Hall 1");
  await page.click("#new button.main");
  await page.locator("#told.good").waitFor();
  await page.locator("#list tbody tr").waitFor();
  await picture(page, "1-follow");

  await page.goto(andon.url);
  await page.locator('.tile[data-line="press-1"][data-state="up"]').waitFor();
  await andon.report("press-1", "FAULTED", { reason_code: "MOTOR-OVERLOAD" });
  await page.locator('.tile[data-line="press-1"][data-state="down"]').waitFor();
  await picture(page, "2-stopped");
  const [down] = await until("the first mail", async () => {
    const mails = await andon.mails();
    return mails.length === 1 && mails;
  });
  const opened = await readMail(await openPage(browser, { viewport: { width: 640, height: 400 } }), down, "3-mail-down");

  // A stop is worth a minute's reading.
  await new Promise((done) => setTimeout(done, 5_000));
  await andon.report("press-1", "RUNNING");
  const [, restored] = await until("the second mail", async () => {
    const mails = await andon.mails();
    return mails.length === 2 && mails;
  });
  const mailPage = await openPage(browser, { viewport: { width: 640, height: 400 } });
  const closed = await readMail(mailPage, restored, "4-mail-restored");
  for (const name of ["subject", "references", "thread-index", "thread-topic"]) {
    assert.equal(closed.get(name), opened.get(name), `one thread: ${name}`);
  }
  assert.notEqual(closed.get("message-id"), opened.get("message-id"));

  await page.goto(`${andon.url}/lines/press-1?${new URLSearchParams({ from: new Date(Date.now() - 600_000).toISOString(), to: new Date(Date.now() + 30_000).toISOString() })}`);
  await page.locator("#told tbody tr", { hasText: "runs again" }).waitFor();
  await picture(page, "5-line", { fullPage: true });

  const link = /<([^>]+)>/.exec(closed.get("list-unsubscribe"))[1];
  await page.goto(link);
  await picture(page, "6-unsubscribe");
  await page.getByRole("button").first().click();
  await page.waitForLoadState();
  await picture(page, "7-unsubscribed");
  const { items } = await andon.ask("/v1/subscriptions/search", "POST", { email: "anna@plant.example" });
  assert.deepEqual(items, [], "nothing is followed any more");
  // Somebody else is told of the next stop; when they are, she was not.
  await andon.ask("/v1/subscriptions", "POST", { email: "bruno@plant.example", node: "press-1" });
  await andon.report("press-1", "FAULTED");
  const [, , third] = await until("the third mail", async () => {
    const mails = await andon.mails();
    return mails.length === 3 && mails;
  });
  assert.match(parse(third.text).headers.get("to"), /bruno/);
} finally {
  await browser.close();
  await andon.stop();
}

// Pictures of every page at three sizes, light and dark: `node screenshots.js FOLDER`. To be looked at by people.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { Andon, until } from "./support/andon.js";
import { openBrowser, openPage } from "./support/browser.js";
import { PAGES, ready } from "./support/pages.js";
import { furnish } from "./support/plant.js";

const folder = process.argv[2];
if (!folder) {
  console.error("usage: node screenshots.js FOLDER");
  process.exit(64);
}
await mkdir(folder, { recursive: true });
const [browser, andon] = await Promise.all([openBrowser(), Andon.start({ ANDON_FOLD__ALLOWED_LATENESS: "1d" })]);
try {
  await andon.ask("/v1/subscriptions", "POST", { email: "anna@plant.example", node: "Valencia/Hall 1" });
  await furnish(andon);
  await until("somebody was told", async () => (await andon.mails()).length > 0);
  for (const colorScheme of ["light", "dark"]) {
    for (const [width, height] of [[1280, 720], [1920, 1080], [390, 844]]) {
      const page = await openPage(browser, { colorScheme, viewport: { width, height }, reducedMotion: "reduce" });
      for (const name of Object.keys(PAGES)) {
        await ready(page, andon, name);
        if (name === "line") await page.locator("#told tbody tr").first().waitFor();
        if (name === "subscriptions") {
          await page.fill("#mine", "anna@plant.example");
          await page.click("#search button");
          await page.locator("#list tbody tr").waitFor();
        }
        await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: width === 390 });
      }
      await page.context().close();
    }
  }
} finally {
  await browser.close();
  await andon.stop();
}

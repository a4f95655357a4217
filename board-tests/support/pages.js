// Every page, and when it shows what it has.

/** A page by name: its address, and what is there once it is ready. */
export const PAGES = {
  board: ["/", ".tile"],
  line: ["/lines/press-1", "#stops tbody tr"],
  downtime: ["/downtime", "#found tbody tr"],
  subscriptions: ["/subscriptions", "#nodes option"],
  "dead-letters": ["/dead-letters", "#found tbody tr"],
  docs: ["/docs#list_downtime", "#list_downtime .inside"],
};

/** Opens a page and waits until it is ready. */
export async function ready(page, andon, name) {
  const [address, sign] = PAGES[name];
  await page.goto(andon.url + address);
  await page.locator(sign).first().waitFor({ state: "attached" });
}

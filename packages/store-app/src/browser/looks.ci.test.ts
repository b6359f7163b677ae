import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { languages } from "../words/languages.ts";
import { startAppServer } from "./testing/app-server.ts";
import { findCutOff, findFaults, phone, smallPhone, tablet, useAppBrowser } from "./testing/use-app-browser.ts";
import { walkDeliveries, walkHandOvers, walkRest } from "./testing/walk.ts";

/** Where the pictures of `docs/quickstart/store.md` come from: each screen is written here, if it is set. */
const picturesDir = process.env.PETAK_PICTURES_DIR;
const browser = useAppBrowser();
let server: Awaited<ReturnType<typeof startAppServer>>;

beforeAll(async () => {
  server = await startAppServer();
});

afterAll(() => server[Symbol.asyncDispose]());

test.each(languages)("in $name nothing of any screen is cut off on a phone of 320 px", async ({ tag }) => {
  const page = await browser.open(`${server.origin}/#/practice`, { ...smallPhone, language: tag });
  for (const walk of [walkHandOvers, walkDeliveries, walkRest]) {
    await walk(page, async (name) => expect([name, await findCutOff(page)]).toEqual([name, []]));
  }
});

test.each([
  { ...phone, scheme: "light" as const },
  { ...phone, scheme: "dark" as const },
  { ...tablet, scheme: "light" as const },
  { ...tablet, scheme: "dark" as const },
])("axe finds nothing on any screen at $width px, $scheme", async (look) => {
  const page = await browser.open(`${server.origin}/#/practice`, look);
  for (const walk of [walkHandOvers, walkDeliveries, walkRest]) {
    await walk(page, async (name) => {
      expect([name, await findFaults(page)]).toEqual([name, []]);
      const file = `${name}-${look.width}-${look.scheme}.png`;
      if (picturesDir !== undefined) await page.screenshot({ path: join(picturesDir, file) });
    });
  }
});

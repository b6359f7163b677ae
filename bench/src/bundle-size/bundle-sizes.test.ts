import { expect, test } from "vitest";
import { measureBundle, measuredPages } from "./bundle-sizes.ts";

const limited = measuredPages.flatMap(({ limitKiB, ...page }) => (limitKiB === undefined ? [] : [{ ...page, limitKiB }]));

test.each(limited)("the script of the page $name has at most $limitKiB KiB after gzip", async (page) => {
  const { gzipBytes } = await measureBundle(page);
  expect(gzipBytes).toBeGreaterThan(10_000);
  expect(gzipBytes).toBeLessThanOrEqual(page.limitKiB * 1024);
});

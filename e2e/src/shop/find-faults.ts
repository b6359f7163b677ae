import { findByAxe } from "@petak/picker/testing/browser";
import type { Page } from "playwright-core";

/** What axe finds on a page against WCAG 2.2 AA, past the policy (`bypassCSP`), since it adds styles of its own; and what is wider than the screen or too small to hit. */
export async function findFaults(page: Page): Promise<readonly string[]> {
  const found = await findByAxe(page, "document", false);
  const cut = await page.evaluate(() => {
    const beyond = document.documentElement.scrollWidth - innerWidth;
    const faults = beyond > 0 ? [`${beyond} px beyond the screen`] : [];
    for (const element of document.querySelectorAll<HTMLElement>(".button, select, input:not([type=hidden]):not([type=radio])")) {
      const { width, height } = element.getBoundingClientRect();
      if (width > 0 && height < 47.5) faults.push(`small: ${element.tagName} ${element.textContent?.trim()} ${width}×${height}`);
    }
    return faults;
  });
  return [...found, ...cut];
}

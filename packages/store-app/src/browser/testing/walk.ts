import type { Page } from "playwright-core";

/** Taps a made-up code in place of scanning. */
export async function scanMadeUp(page: Page, code: string): Promise<void> {
  await page.locator(".made-up-codes button", { hasText: new RegExp(`^${code}$`) }).click();
}

/** Goes to a screen by its address. */
export async function goTo(page: Page, name: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${name}`);
  await page.locator("h1").waitFor();
}

/** Taps the one action that is always in view. */
export async function act(page: Page): Promise<void> {
  await page.locator(".action .button").click();
}

/** Is told of each screen of a walk, by a name. */
export type OnScreen = (name: string) => Promise<void>;

/** Walks through practice mode: hand-overs with all that may happen in them. It begins and ends on the first screen. */
export async function walkHandOvers(page: Page, onScreen: OnScreen): Promise<void> {
  await page.locator(".tile.primary").waitFor();
  await onScreen("today");
  await page.locator(".tile.primary").click();
  await onScreen("scan-code");
  await scanMadeUp(page, "482913");
  await scanMadeUp(page, "XX0000000");
  await onScreen("wrong-parcel");
  await scanMadeUp(page, "JX4817724K2");
  await onScreen("handed-over");
  await scanMadeUp(page, "619240");
  await onScreen("age-check");
  await page.locator(".pair .button").last().click();
  await onScreen("why-end");
  await page.locator("main .button.primary").click();
  await page.getByRole("checkbox").click();
  await scanMadeUp(page, "PT20093340R");
  await scanMadeUp(page, "205518");
  await page.getByRole("checkbox").click();
  await onScreen("cash");
  await scanMadeUp(page, "JX4817900Q3");
  await scanMadeUp(page, "730155");
  await page.locator(".pair .button").first().click();
  await onScreen("missing");
  await act(page);
  await page.locator(".tile.primary").waitFor();
}

/** Walks through an acceptance and a take-in. It begins and ends on the first screen. */
export async function walkDeliveries(page: Page, onScreen: OnScreen): Promise<void> {
  await page.locator(".tile").nth(1).click();
  for (const code of ["JX4818001A1", "JX4818002A2", "XX0000000"]) await scanMadeUp(page, code);
  await onScreen("accept-refused");
  await scanMadeUp(page, "JX4818003A3");
  await page.locator(".rows .row").first().click();
  await onScreen("parcel-facts");
  await page.getByRole("radio").nth(1).click();
  await page.locator("main .button.primary").click();
  await onScreen("accept");
  await act(page);
  await onScreen("agree");
  await act(page);
  await onScreen("sign");
  await scanMadeUp(page, "COURIER-7");
  await onScreen("signed");
  await act(page);
  await page.locator(".tile").nth(2).click();
  await scanMadeUp(page, "RETURN-31");
  await onScreen("take-in");
  await scanMadeUp(page, "RT7700110");
  await act(page);
  await page.locator(".tile.primary").waitFor();
}

/** Walks through everything else. */
export async function walkRest(page: Page, onScreen: OnScreen): Promise<void> {
  await goTo(page, "shelf");
  await onScreen("shelf");
  await page.locator("input[type=search]").fill("1m7");
  await page.locator(".rows .row").first().click();
  await onScreen("parcel");
  await goTo(page, "capacity");
  await page.locator(".stepper-keys .button").first().click();
  await page.locator("main .stack > .button").last().click();
  await onScreen("capacity");
  await page.locator("main .stack > .button").first().click();
  await onScreen("paused");
  await goTo(page, "menu");
  await onScreen("menu");
  await goTo(page, "shift");
  await act(page);
  await scanMadeUp(page, "PT20091774B");
  await onScreen("count");
  await act(page);
  await onScreen("count-result");
  await act(page);
  for (const name of ["month", "languages", "help"]) {
    await goTo(page, name);
    await onScreen(name);
  }
}

/** Sends a code as a scanner that types does, wherever the focus is. */
export async function scanByWedge(page: Page, code: string): Promise<void> {
  await page.evaluate((text) => {
    for (const [index, key] of [...text, "Enter"].entries()) {
      const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
      // A scanner's pace, however slow this machine is.
      Object.defineProperty(event, "timeStamp", { value: performance.timeOrigin + index });
      document.activeElement?.dispatchEvent(event);
    }
  }, code);
}

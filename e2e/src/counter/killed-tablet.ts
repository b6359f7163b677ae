import { type AppBrowser, phone } from "@petak/store-app/testing/app-browser";
import { filmCode, type QrSquares } from "@petak/store-app/testing/code-film";
import { goTo, scanByWedge } from "@petak/store-app/testing/walk";
import type { Page } from "playwright-core";
import type { TabletLine } from "./tablet-line.ts";

/** What a clerk does in one step. */
export interface Step {
  does(page: Page): Promise<unknown>;
  /** Words of the screen after it. */
  readonly shows: string | RegExp;
  /** Whether it sends an entry. Default true. */
  readonly sends?: boolean;
}

/** A tablet that dies at each step: once between the agent's answer and its arrival where an entry is sent, and once when the step is done. */
export interface KilledTablet {
  /** The page that lives now. */
  readonly page: Page;
  /** How many entries were made, and how often a page was killed. */
  readonly entries: number;
  readonly kills: number;
  step(step: Step): Promise<void>;
  /** Something that is done while no answer comes. */
  cutOff(step: Step): Promise<void>;
  /** A scan by a scanner that types. */
  types(label: string): (page: Page) => Promise<void>;
  /** A scan by the camera: the code comes before it. */
  films(squares: QrSquares): (page: Page) => Promise<void>;
}

/** Opens the app on a tablet. @param film what its camera shows */
export async function openKilledTablet(browser: AppBrowser, line: TabletLine, film: string): Promise<KilledTablet> {
  browser.allowComplaints(/Failed to load resource/);
  let page = await browser.open(line.origin, phone);
  let entries = 0;
  let kills = 0;
  // The tablet has the app's files before the line is cut.
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));

  async function shown(words: Step["shows"]): Promise<void> {
    try {
      await page.getByText(words).first().waitFor();
    } catch (error) {
      throw new Error(`The screen does not show "${words}", but: ${await page.locator("body").textContent()}`, { cause: error });
    }
  }

  /** @param isMended whether the line is whole before the page comes back */
  async function die(isMended: boolean): Promise<void> {
    kills += 1;
    await browser.kill(page);
    if (isMended) line.mend();
    await filmCode(film);
    page = await browser.openAgain(page);
  }

  async function finish(words: Step["shows"], isMended: boolean): Promise<void> {
    await shown(words);
    await page.evaluate(writtenDown);
    await die(isMended);
    await shown(words);
  }

  return {
    get page() {
      return page;
    },
    get entries() {
      return entries;
    },
    get kills() {
      return kills;
    },
    async step({ does, shows, sends = true }) {
      if (sends) {
        entries += 1;
        const answered = line.holdAnswers();
        await does(page);
        await answered;
        await die(true);
        // The answer has come, and nothing waits.
        await page.locator(".pill", { hasText: "Online" }).waitFor();
      } else {
        await does(page);
      }
      await finish(shows, true);
    },
    async cutOff({ does, shows, sends = true }) {
      if (sends) entries += 1;
      await does(page);
      await finish(shows, false);
    },
    types: (label) => (on) => scanByWedge(on, label),
    films: (squares) => async (on) => {
      await filmCode(film, squares);
      // A camera that starts shows it.
      const [, screen = "today"] = new URL(on.url()).hash.split("/");
      await goTo(on, "menu");
      await goTo(on, screen);
    },
  };
}

/** Resolves when the page's database has on the disk what was asked of it before. Runs in the page. */
function writtenDown(): Promise<void> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("petak-store");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction([...database.objectStoreNames], "readwrite", { durability: "strict" });
      transaction.oncomplete = () => {
        database.close();
        resolve();
      };
    };
  });
}

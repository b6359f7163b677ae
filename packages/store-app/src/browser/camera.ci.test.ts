import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filmCode, filmScenes, filmSwitches, qrSquares } from "./testing/code-film.ts";
import { type PracticeAgent, startPracticeAgent } from "./testing/practice-agent.ts";
import { countTaps, findFaults, useAppBrowser } from "./testing/use-app-browser.ts";

let folder = "";
let film = "";
let agent: PracticeAgent;
const browser = useAppBrowser(async () => {
  folder = await mkdtemp(join(tmpdir(), "petak-film-"));
  film = join(folder, "code.y4m");
  await filmCode(film);
  return filmSwitches(film);
});

beforeAll(async () => {
  agent = await startPracticeAgent();
});

afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test("a code before the camera begins a hand-over, read by the decoder that the store serves", async () => {
  await filmCode(film, qrSquares("619240"));
  const page = await browser.open(agent.origin);
  await page.locator(".tile.primary").click();
  await page.getByText("C-04").waitFor();
  expect(await page.evaluate(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/zxing_reader.wasm")))).toBe(
    true,
  );
  await page.getByRole("checkbox").click();
  await page.getByText("Scan the parcel").waitFor();
  expect(await findFaults(page)).toEqual([]);
  // The same code is before the camera still: it is no parcel.
  expect(await page.getByText("Wrong parcel").count()).toBe(0);
});

test("a hand-over by camera is one tap and two scans, with no field to type in", async ({ annotate }) => {
  // The parcel lies there for long, so that a slow machine sees it too.
  await filmScenes(film, [
    { squares: qrSquares("482913"), seconds: 4 },
    { squares: qrSquares("JX4817724K2"), seconds: 60 },
  ]);
  const page = await browser.open(agent.origin);
  await page.locator(".tile.primary").waitFor();
  const taps = await countTaps(page);
  const beganMs = performance.now();
  await page.locator(".tile.primary").click();
  await page.getByText("B-07").waitFor();
  expect(await page.locator("main input").count()).toBe(0);
  await page.getByText("Handed over").waitFor();
  await annotate(`a hand-over took ${((performance.now() - beganMs) / 1000).toFixed(1)} s, of which the customer's code was in view for 4`);
  expect([await taps(), await page.locator("main input").count()]).toEqual([1, 0]);
});

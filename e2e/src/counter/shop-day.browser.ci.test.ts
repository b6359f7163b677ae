import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Act, EventType, ParcelRequirement, Purpose } from "@petak/protocol";
import { useAppBrowser } from "@petak/store-app/testing/app-browser";
import { filmCode, filmSwitches, qrSquares } from "@petak/store-app/testing/code-film";
import { readCodes } from "@petak/store-app/testing/read-code";
import { goTo } from "@petak/store-app/testing/walk";
import { useRedis } from "@petak/testkit";
import type { TestParticipant } from "@petak/testkit/network";
import type { Page } from "playwright-core";
import { afterAll, describe, expect, it } from "vitest";
import { expectTrueChain, publishedIssuerKeys } from "../testing/chains.ts";
import { squaresIn } from "../testing/shown-code.ts";
import { readByZbarimg, zbarimgObstacle } from "../testing/zbarimg.ts";
import { type KilledTablet, openKilledTablet } from "./killed-tablet.ts";
import { cashDue, openShop, type Shop } from "./open-shop.ts";
import type { TabletLine } from "./tablet-line.ts";

const redis = useRedis();
const folder = await mkdtemp(join(tmpdir(), "petak-film-"));
const film = join(folder, "counter.y4m");
const browser = useAppBrowser(async () => {
  await filmCode(film);
  return filmSwitches(film);
});
afterAll(() => rm(folder, { recursive: true }));

/** In ms: a hundred pages are opened. */
const timeout = 1_200_000;
const checks = [ParcelRequirement.AGE_CHECK, ParcelRequirement.CASH_ON_DELIVERY];
const tap = (words: string) => (page: Page) => page.getByRole("button", { name: words, exact: true }).click();
const tapAction = (page: Page) => page.locator(".action .button").click();
const tile = (words: string) => (page: Page) => page.locator(".tile", { hasText: words }).click();

/** Signs in by keyboard alone: Tab and Enter choose the name, and the field for the PIN has the focus. */
async function signIn(page: Page, name: string, pin: string): Promise<void> {
  await page.getByText("Who is at the counter?").waitFor();
  await page.locator(".tile", { hasText: name }).focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("password");
  await page.keyboard.insertText(pin);
  await page.keyboard.press("Enter");
  await page.locator(".tile.primary").waitFor();
}

/** A courier brings four parcels. One is damaged, one is scanned while the line is cut, and one belongs to nobody. Both sides sign by their cameras. */
async function acceptance(tablet: KilledTablet, { couriers, line }: Shop, damagedId: string): Promise<void> {
  await tablet.step({ does: tile("Accept"), shows: "Agree the count" });
  await tablet.step({ does: tablet.films(qrSquares("BX-1")), shows: "A1" });
  await tablet.step({ does: tablet.types("BX-2"), shows: "2 parcels" });
  await tablet.step({ does: tablet.types("NOBODY"), shows: "Nobody announced this parcel" });
  await tablet.step({ does: tablet.types("BX-3"), shows: "3 parcels" });
  await cut(tablet, line);
  await tablet.cutOff({ does: (page) => typeHalf(page, "BX"), shows: "Code or number", sends: false });
  await expect.poll(() => tablet.page.locator("input[name=code]").inputValue()).toBe("BX");
  await tablet.cutOff({ does: (page) => typeRest(page, "-4"), shows: "Offline · 1 waiting" });
  await expect.poll(() => tablet.page.getByText("4 parcels").count()).toBe(1);
  await mend(tablet, line);
  await tablet.step({ does: (page) => page.locator(".rows .row", { hasText: "BX-2" }).click(), shows: "Take a photo", sends: false });
  await tablet.step({ does: (page) => page.getByRole("radio", { name: "Damaged, but taken" }).click(), shows: "Take a photo" });
  await tablet.step({ does: tap("Done"), shows: "4 parcels", sends: false });
  await tablet.step({ does: tapAction, shows: "Count together", sends: false });
  await tablet.step({ does: tapAction, shows: "The courier scans this" });
  const picture = await tablet.page.locator(".qr").screenshot();
  const [storeCode = ""] = await readCodes(picture);
  if (zbarimgObstacle === undefined) expect(await readByZbarimg(picture)).toBe(storeCode);
  const { shown } = await couriers.driverSigns(storeCode, "in", "--condition", `${damagedId}=DAMAGED.OTHER`, "--agree");
  await tablet.step({ does: tablet.films(squaresIn(shown)), shows: "Signed by both" });
  await tablet.step({ does: tapAction, shows: "On the shelf", sends: false });
}

async function cut({ page }: KilledTablet, line: TabletLine): Promise<void> {
  line.cut();
  await page.locator(".pill", { hasText: "Offline" }).waitFor();
}

async function mend({ page }: KilledTablet, line: TabletLine): Promise<void> {
  line.mend();
  // As browsers say when the tablet has a network again, which this one never lost.
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await page.locator(".pill", { hasText: "Online" }).waitFor();
}

async function typeHalf(page: Page, text: string): Promise<void> {
  await page.getByRole("button", { name: "Type the number" }).click();
  await page.locator("input[name=code]").focus();
  await page.keyboard.insertText(text);
}

async function typeRest(page: Page, text: string): Promise<void> {
  await page.locator("input[name=code]").focus();
  await page.keyboard.press("End");
  await page.keyboard.insertText(text);
  await page.keyboard.press("Enter");
}

/** One is handed over while the line is cut, one with checks and cash, and one cannot be found. */
async function handOvers(tablet: KilledTablet, { couriers, line }: Shop, [plain, checked, lost]: readonly string[]): Promise<void> {
  await tablet.step({ does: tile("Hand over"), shows: "Type the number", sends: false });
  await tablet.step({ does: tablet.films(qrSquares(await couriers.codeOf(plain ?? ""))), shows: "A1" });
  await tablet.step({ does: tablet.types("BX-2"), shows: "Wrong parcel" });
  await cut(tablet, line);
  await tablet.cutOff({ does: tablet.types("BX-1"), shows: "It waits to be sent" });
  await mend(tablet, line);
  await tablet.page.getByText("Handed over").waitFor();
  await tablet.step({ does: tablet.types(await couriers.codeOf(checked ?? "")), shows: "Tick each check first" });
  await tablet.step({ does: (page) => page.getByRole("checkbox").first().click(), shows: "Tick each check first", sends: false });
  await tablet.step({ does: (page) => page.getByRole("checkbox").last().click(), shows: "Scan the parcel", sends: false });
  await tablet.step({ does: tablet.films(qrSquares("BX-2")), shows: "Handed over" });
  await tablet.step({ does: tablet.types(await couriers.codeOf(lost ?? "")), shows: "I cannot find it" });
  await tablet.step({ does: tap("I cannot find it"), shows: "It is marked as missing" });
  await tablet.step({ does: tapAction, shows: "On the shelf", sends: false });
}

async function shiftChange(tablet: KilledTablet, second: { name: string; pin: string }): Promise<void> {
  await tablet.step({ does: (page) => goTo(page, "shift"), shows: "Count the parcels on the shelf", sends: false });
  await tablet.step({ does: tablet.types("BX-3"), shows: "1 parcel", sends: false });
  await tablet.step({ does: tablet.films(qrSquares("RT-1")), shows: "2 parcels", sends: false });
  await tablet.step({ does: (page) => page.getByLabel("Cash in the till").fill("12.50"), shows: "2 parcels", sends: false });
  await expect.poll(() => tablet.page.getByLabel("Cash in the till").inputValue()).toBe("12.50");
  await tablet.step({ does: tapAction, shows: "The count matches" });
  await tablet.step({ does: tapAction, shows: "Sign out", sends: false });
  await tablet.step({ does: tap("Sign out"), shows: "Who is at the counter?", sends: false });
  await tablet.step({ does: (page) => signIn(page, second.name, second.pin), shows: "Hand over", sends: false });
  await tablet.step({ does: (page) => goTo(page, "shift"), shows: "No shift has begun", sends: false });
  await tablet.step({ does: tapAction, shows: "Shift since" });
}

/** Events of what is done at a counter. */
const counterEvents: readonly EventType[] = [
  EventType.PARCEL_DEPOSITED,
  EventType.PARCEL_COLLECTED,
  EventType.PARCEL_RECALLED,
  EventType.DOOR_OPENED,
  EventType.DOOR_CLOSED,
  EventType.DOOR_REFUSED,
  EventType.RESERVATION_IN_DOUBT,
];

/** What happened to a parcel at the counter, by a true chain. */
async function historyOf({ network, courier }: Shop, reservationId: string) {
  const { events } = await expectTrueChain(courier, reservationId, await publishedIssuerKeys(network.baseUrl));
  return events.map(({ type }) => type).filter((type) => counterEvents.includes(type));
}

async function shiftsIn({ client }: TestParticipant) {
  const { events } = await client.custody.listEvents({ pageSize: 1000 });
  return events.filter(({ type }) => type === EventType.SHIFT_COUNTED);
}

describe("a full day in a shop", () => {
  it("loses and doubles nothing though the page dies at each step, and the line is cut in a delivery and a hand-over", {
    timeout,
  }, async ({ annotate }) => {
    const shop = await openShop(redis);
    const { couriers, store, operator, siteId } = shop;
    const plain = await couriers.announce("BX-1");
    const checked = await couriers.announce("BX-2", { requirements: checks, cashDue });
    const lost = await couriers.announce("BX-4");
    const sent = await couriers.announce("RT-1", { purpose: Purpose.RETURN });
    await store.agent.syncNow();
    // The agent has not heard of this one yet, and asks.
    const late = await couriers.announce("BX-3");
    const { pin } = await store.clerks.add("Tuan", false);

    const tablet = await openKilledTablet(browser, shop.line, film);
    await tablet.step({ does: (page) => signIn(page, "Mai", store.pin), shows: "Hand over", sends: false });
    await tablet.step({ does: (page) => goTo(page, "shift"), shows: "No shift has begun", sends: false });
    await tablet.step({ does: tapAction, shows: "Shift since" });
    await tablet.step({ does: (page) => goTo(page, "today"), shows: "On the shelf", sends: false });
    await acceptance(tablet, shop, checked);
    await handOvers(tablet, shop, [plain, checked, lost]);
    await tablet.step({ does: tile("Return"), shows: "Type the number", sends: false });
    await tablet.step({ does: tablet.types(await couriers.codeOf(sent, Act.DEPOSIT)), shows: "Put it on" });
    await tablet.step({ does: tablet.films(qrSquares("RT-1")), shows: "Taken in" });
    await tablet.step({ does: (page) => goTo(page, "capacity"), shows: "Take no more for now", sends: false });
    await tablet.step({ does: tap("Take no more for now"), shows: "Take parcels again" });
    await shiftChange(tablet, { name: "Tuan", pin });
    await store.agent.flushed();

    expect(store.entryIds.size).toBe(tablet.entries);
    await annotate(`${tablet.entries} entries; the page died ${tablet.kills} times`);
    await goTo(tablet.page, "today");
    await tablet.page.getByText("On the shelf").waitFor();
    expect(await tablet.page.getByText("not taken").count()).toBe(0);
    const { PARCEL_DEPOSITED, PARCEL_COLLECTED, DOOR_OPENED, DOOR_CLOSED, DOOR_REFUSED, RESERVATION_IN_DOUBT } = EventType;
    const histories = await Promise.all([plain, checked, late, lost, sent].map((one) => historyOf(shop, one)));
    expect(histories).toEqual([
      [PARCEL_DEPOSITED, DOOR_OPENED, DOOR_REFUSED, DOOR_CLOSED, PARCEL_COLLECTED],
      [PARCEL_DEPOSITED, DOOR_OPENED, DOOR_CLOSED, PARCEL_COLLECTED],
      [PARCEL_DEPOSITED],
      [PARCEL_DEPOSITED, DOOR_OPENED, DOOR_CLOSED, RESERVATION_IN_DOUBT],
      [DOOR_OPENED, DOOR_CLOSED, PARCEL_DEPOSITED],
    ]);
    expect(await shiftsIn(operator)).toMatchObject([
      { siteId, proof: { clerkId: store.clerkId }, countedShift: { expected: 2, counted: 2, missing: 0, surplus: 0 } },
    ]);
  });
});

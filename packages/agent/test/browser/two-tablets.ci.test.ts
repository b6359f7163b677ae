import { Act } from "@petak/protocol";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { startStore, type TestStore } from "../store.ts";
import { openCounter, openPage, scan, shows, signIn } from "./app-pages.ts";

const leaseOf = ({ counter }: TestStore) => counter.view({ clerk: { clerkId: "clerk-1", name: "Mai", isOwner: true }, tabletId: "" }).lease;

const tabletIdOf = (page: Page) => page.evaluate<string>("localStorage.getItem('petak-tablet')");

it("one tablet hands over while it is cut off and killed, the other waits for it, and no code is accepted twice", async () => {
  const store = await startStore();
  const { pin } = await store.clerks.add("Mai", true);
  const codes: string[] = [];
  for (const label of ["SHOP-0001", "SHOP-0002", "SHOP-0003"]) {
    const { reservationId } = await store.takesIn(label);
    codes.push(await store.gateway.token(Act.COLLECT, reservationId));
  }
  const [first = "", second = "", third = ""] = codes;
  const { url } = await openCounter(store);
  const one = await openPage(url);
  await signIn(one, "Mai", pin);
  await expect.poll(() => leaseOf(store)?.tabletId).toBe(await tabletIdOf(one));
  const other = await openPage(url);
  await signIn(other, "Mai", pin);
  await one.evaluate("navigator.serviceWorker.ready.then(() => undefined)");

  await one.context().setOffline(true);
  await scan(one, first);
  await shows(one, "A1");
  await one.reload();
  await shows(one, "A1");
  await scan(one, "SHOP-0001");
  await shows(one, "Done here. It waits to be sent.");
  await one.reload();
  await shows(one, "Done here. It waits to be sent.");
  await scan(one, first);
  await shows(one, "This code is not accepted here.");
  await one.getByText("This tablet decides alone until").waitFor();
  await scan(one, second);
  await shows(one, "A2");
  await scan(one, "SHOP-0002");
  await shows(one, "Done here. It waits to be sent.");

  // The time in which it would have answered.
  const stop = store.counter.onChange(() => leaseOf(store)?.isWanted && setImmediate(() => store.timers.advance(3000)));
  await scan(other, third);
  await other.getByText("Other hand-overs go on when it is back").waitFor();

  stop();
  await one.context().setOffline(false);
  await one.locator(".pill", { hasText: "Online" }).waitFor();
  await expect.poll(() => store.counter.parcels().parcels.length).toBe(1);
  await one.evaluate("location.hash = '#/menu'");
  await one.getByText("Sign out").click();
  await shows(one, "Who is at the counter?");
  expect(leaseOf(store)?.tabletId).not.toBe(await tabletIdOf(one));
  await scan(other, first);
  await shows(other, "This code is not accepted here.");
  await scan(other, third);
  await shows(other, "A3");
  await scan(other, "SHOP-0003");
  await shows(other, "Handed over");
  await store.agent.flushed();
  const collected = store.gateway.eventNames().filter((name) => name === "PARCEL_COLLECTED");
  expect(collected).toHaveLength(3);
  expect(store.gateway.events.filter(({ condition }) => condition !== undefined)).toEqual([]);
});

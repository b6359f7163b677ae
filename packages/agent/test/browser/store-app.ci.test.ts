import { Act } from "@petak/protocol";
import { expect, it } from "vitest";
import { startStore } from "../store.ts";
import { openCounter, openPage, scan, shows, signIn } from "./app-pages.ts";

it("takes a parcel in and hands it over by the app, with a reload at each step and the agent away in the middle", async () => {
  const store = await startStore();
  const { gateway, agent } = store;
  const { pin } = await store.clerks.add("Mai", true);
  const counter = await openCounter(store);
  const page = await openPage(counter.url);

  await signIn(page, "Mai", pin);
  await page.reload();
  await shows(page, "Hand over");

  const reservationId = gateway.newReservation();
  await scan(page, await gateway.token(Act.DEPOSIT, reservationId));
  await shows(page, "A1");
  await page.reload();
  await shows(page, "A1");
  await scan(page, "SHOP-0001");
  await shows(page, "Taken in");
  await page.reload();
  await shows(page, "Taken in");

  const token = await gateway.token(Act.COLLECT, reservationId);
  await scan(page, token);
  await shows(page, "Take it from");
  await page.evaluate("navigator.serviceWorker.ready.then(() => undefined)");
  await counter.goAway();
  await page.locator(".pill", { hasText: "Offline" }).waitFor();
  await page.reload();
  await shows(page, "A1");
  await scan(page, "SHOP-0001");
  await shows(page, "Done here. It waits to be sent.");
  await page.reload();
  await page.locator(".pill", { hasText: "Offline · 1 waiting" }).waitFor();
  // The tablet decides alone now, and knows that this code is used.
  await scan(page, token);
  await shows(page, "This code is not accepted here.");

  await counter.comeBack();
  await page.locator(".pill", { hasText: "Online" }).waitFor();
  await expect
    .poll(async () => {
      await agent.flushed();
      return gateway.eventNames().filter((name) => name === "PARCEL_COLLECTED").length;
    })
    .toBe(1);
  await scan(page, token);
  await shows(page, "This code is not accepted here.");
});

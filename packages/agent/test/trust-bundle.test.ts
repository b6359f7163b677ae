import { Act } from "@petak/protocol";
import { expect, it } from "vitest";
import { startSite } from "./site.ts";

it("an agent keeps the newer trust bundle where an older one is offered, until it has expired", async () => {
  const site = await startSite();
  const { gateway, timers } = site;
  const sync = async (version: bigint) => {
    gateway.bundleVersion = version;
    gateway.changed();
    await site.agent.syncNow();
    return site.store.trustBundle()?.version;
  };
  expect(await sync(7n)).toBe(7n);
  expect(await sync(6n)).toBe(7n);
  expect(site.log.at(-1)).toEqual({
    level: "warn",
    message: "the gateway offered an older trust bundle; the agent keeps its own until that expires",
  });
  await site.restart();
  expect(site.store.trustBundle()?.version).toBe(7n);
  timers.advance(30 * 86_400_000);
  expect(await sync(6n)).toBe(6n);
  expect(await site.agent.present({ token: await gateway.token(Act.DEPOSIT, gateway.newReservation()) })).toMatchObject({ opened: true });
});

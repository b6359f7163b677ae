import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { trustBundleLifetimeMs } from "@petak/credential";
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

it("one false answer is relied on for 7 days at most, whatever it says, and keeps no true trust bundle out", async () => {
  const site = await startSite();
  const { gateway, timers } = site;
  const inFutureS = Math.floor(Date.UTC(2163, 0, 1) / 1000);
  for (const version of [2n ** 62n, BigInt(inFutureS)]) {
    gateway.bundleVersion = version;
    gateway.changed();
    await site.agent.syncNow();
    expect(site.store.trustBundle()?.version).toBe(1n);
    expect(site.log.at(-1)?.message).toContain("whose version lies in the future");
  }
  // As high as it may be, and valid for ever.
  gateway.bundleVersion = BigInt(Math.floor(timers.now() / 1000));
  gateway.bundleNotAfterMs = Date.UTC(2163, 0, 1);
  gateway.changed();
  await site.agent.syncNow();
  const { notAfter, issuerKeys } = site.store.trustBundle() ?? {};
  const latestMs = timers.now() + trustBundleLifetimeMs;
  expect([notAfter, issuerKeys?.[0]?.notAfter].map((until) => timestampMs(until ?? timestampFromMs(0)))).toEqual([latestMs, latestMs]);
  timers.advance(trustBundleLifetimeMs);
  gateway.bundleVersion = 2n;
  gateway.bundleNotAfterMs = undefined;
  gateway.changed();
  await site.agent.syncNow();
  expect(site.store.trustBundle()?.version).toBe(2n);
});

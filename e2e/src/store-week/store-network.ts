import { createRequestSigner } from "@petak/client/node";
import { Role, SiteKind, SiteService } from "@petak/protocol";
import { makeSite, type Random, type SiteFacts, tempDir, type useRedis } from "@petak/testkit";
import { dayMs, hourMs, minuteMs } from "../offline/offline-network.ts";
import { type ClockedNetwork, startClockedNetwork } from "../testing/clocked-network.ts";
import { type Driver, newDriver } from "./driver.ts";
import { type Place, type RoughStore, startRoughStore } from "./rough-store.ts";
import { openTablet, type Tablet } from "./tablet.ts";
import type { Shop } from "./truth.ts";

/** Two stores, with two tablets each, and two couriers. */
export interface StoreNetwork extends ClockedNetwork {
  readonly shops: readonly Shop[];
  readonly drivers: readonly Driver[];
}

const classes: SiteFacts["classes"] = [
  ["S", 250, 150, 350, 20_000, 6],
  ["L", 600, 400, 600, 20_000, 3],
];
const places: readonly Place[] = classes.flatMap(([sizeClassId, , , , , installed]) =>
  Array.from({ length: installed }, (_, index) => ({ compartmentId: `${sizeClassId}${index + 1}`, sizeClassId })),
);

/** Starts it. Gateway and stores go by one test clock. */
export async function startStoreNetwork(
  redis: ReturnType<typeof useRedis>,
  { keyPrefix, random }: { keyPrefix: string; random: Random },
): Promise<StoreNetwork> {
  const around = await startClockedNetwork(redis, {
    ...{ keyPrefix, holdDefaultMs: hourMs, agentSyncIntervalMs: 30 * minuteMs },
    ...{ collectWithinMs: dayMs, storageMaxMs: 3 * dayMs },
  });
  const { network, operator, clock } = around;
  const other = await network.join("Other courier", [Role.COURIER]);
  const folder = await tempDir();
  const shops: Shop[] = [];
  const services = [SiteService.CASH_ON_DELIVERY];
  for (const name of ["Orchard", "Bugis"]) {
    const facts = { latitude: 1.3, longitude: 103.8, ref: name, kind: SiteKind.COLLECTION_POINT, classes };
    const siteId = await network.putSite(operator, makeSite(facts, { compartments: [...places], services }));
    const key = await network.agentKey(operator, siteId);
    const { agents } = network.clientFor(createRequestSigner({ ...key, now: clock.now }));
    const store = await startRoughStore({ siteId, agents, key, places, clock, folder, random: random.fork() });
    const tablets = [await tabletFor(around, store, random), await tabletFor(around, store, random)];
    shops.push({ name, store, tablets });
  }
  return {
    ...around,
    shops,
    drivers: [await newDriver(around.courier, clock.now), await newDriver(other, clock.now)],
    async stop() {
      for (const { store } of shops) await store.stop();
      await around.stop();
    },
  };
}

/** A new tablet at a store. */
export function tabletFor({ clock }: Pick<ClockedNetwork, "clock">, store: RoughStore, random: Random): Promise<Tablet> {
  return openTablet(store, clock.now, random.fork());
}

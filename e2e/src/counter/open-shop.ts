import { type Money, Role, SiteKind, SiteService } from "@petak/protocol";
import { bundleStoreApp, writeStoreApp } from "@petak/store-app/bundle";
import { createManualTimers, type ManualTimers, makeSite, tempDir } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestNetworkOptions, type TestParticipant } from "@petak/testkit/network";
import { onTestFinished } from "vitest";
import { type CourierSide, createCourierSide } from "./courier-side.ts";
import { type OpenStore, openStore } from "./open-store.ts";
import { openTabletLine, type TabletLine } from "./tablet-line.ts";

export const hourMs = 3_600_000;
export const cashDue = { currencyCode: "SGD", units: 12n, nanos: 500_000_000 } as Money;

/** A shop with its app, behind a line that can be cut, in a network with one courier. */
export interface Shop {
  readonly network: TestNetwork;
  readonly timers: ManualTimers;
  readonly operator: TestParticipant;
  readonly courier: TestParticipant;
  readonly couriers: CourierSide;
  readonly siteId: string;
  /** A site of the same operator. */
  readonly otherSiteId: string;
  readonly store: OpenStore;
  readonly line: TabletLine;
}

/** Opens a shop with six places of one size. It closes with the running test. @param hasApp whether its tablets are served an app, or only answered */
export async function openShop(redis: NonNullable<TestNetworkOptions["redis"]>, hasApp = true): Promise<Shop> {
  const count = 6;
  const timers = createManualTimers(Math.floor(Date.now() / 1000) * 1000);
  const network = await startTestNetwork({ redis, now: timers.now, collectWithinMs: 2 * hourMs, sweepIntervalMs: 20 });
  onTestFinished(() => network.stop());
  const operator = await network.join("Chain of shops", [Role.OPERATOR]);
  const courier = await network.join("Courier", [Role.COURIER]);
  const places = Array.from({ length: count }, (_, index) => ({ compartmentId: `A${index + 1}`, sizeClassId: "M" }));
  const classes = [["M", 400, 200, 500, 20_000, count]] as [string, number, number, number, number, number][];
  const services = [SiteService.AGE_CHECK, SiteService.CASH_ON_DELIVERY];
  const kind = SiteKind.COLLECTION_POINT;
  const site = makeSite({ latitude: 1.3, longitude: 103.8, ref: "shop", kind, classes }, { compartments: places, services });
  const elsewhere = makeSite({ latitude: 1.31, longitude: 103.8, ref: "other", kind, classes }, { compartments: places, services });
  const [siteId = "", otherSiteId = ""] = await network.putSites(operator, site, elsewhere);
  const appFolder = hasApp ? await tempDir() : undefined;
  if (appFolder !== undefined) await writeStoreApp(appFolder, await bundleStoreApp());
  const store = await openStore({ network, operator, siteId, places, timers, appFolder });
  const couriers = await createCourierSide({ network, courier, siteId, now: timers.now });
  return { network, timers, operator, courier, couriers, siteId, otherSiteId, store, line: await openTabletLine(store.url) };
}

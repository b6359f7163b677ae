import { create } from "@bufbuild/protobuf";
import { LiveReservations, type Site, SiteLifecycle, TermsSchema } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { makeSite, testStoreCode, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { reserve } from "../reservations/testing/holding.ts";
import { createSearchableRecords, type SearchableRecords } from "../testing/searchable-records.ts";

const redis = useRedis();
const position = { latitude: 1.35, longitude: 103.82 };
let connections: RedisConnection[];
let booking: SearchableRecords;
let operating: SearchableRecords;

beforeEach(async () => {
  connections = await Promise.all([redis.connect(), redis.connect()]);
  [booking, operating] = connections.map((connection) =>
    createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` }),
  ) as [SearchableRecords, SearchableRecords];
});
afterEach(() => {
  for (const connection of connections) connection.disconnect();
});

describe("a retirement that refuses live reservations", () => {
  it("happens or is refused together with the reservations made at the same time, never both", async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 40; round++) {
      const { siteId } = await operating.sites.put(makeSite({ ...position, ref: `site-${round}` }), 0);
      const reserving = async () => {
        // Later and later, so that each is first in some rounds.
        for (let turn = 0; turn < round % 16; turn++) await connections[0]?.ping();
        return await reserve(booking, position, round, 1000);
      };
      const holding = reserving();
      const refusal = await operating.sites.retire(siteId, 0).then(
        () => undefined,
        ({ reason }: { reason: string }) => reason,
      );
      const isHeld = (await holding).tag === "held";
      const { site } = (await operating.sites.find(siteId)) ?? {};
      expect(site?.lifecycle).toBe(isHeld ? SiteLifecycle.ACTIVE : SiteLifecycle.DECOMMISSIONED);
      expect(refusal).toBe(isHeld ? "SITE_IN_USE" : undefined);
      outcomes.add(isHeld ? "held" : "retired");
      if (isHeld) await operating.sites.retire(siteId, 0, LiveReservations.DRAIN);
    }
    expect([...outcomes].sort()).toEqual(["held", "retired"]);
  });
});

it("a site that is put is judged as it is when it is written, whoever else writes at the same time", async () => {
  const terms = create(TermsSchema, { freeStorage: { seconds: 86_400n } });
  for (let round = 0; round < 40; round++) {
    const site = makeSite({ ...position, ref: `site-${round}` });
    const { siteId } = await operating.sites.put(site, 0);
    const refuse = (stored: Site) => {
      if (stored.terms !== undefined) throw new Error("it has terms");
    };
    await Promise.allSettled([
      operating.sites.put({ ...site, name: "Without terms" }, 0, LiveReservations.REFUSE, refuse),
      booking.sites.put({ ...site, terms }, 0),
    ]);
    expect((await operating.sites.find(siteId))?.site.terms).toEqual(terms);
  }
});

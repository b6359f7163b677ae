import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { gatewayTerms, termsInForce } from "@petak/lifecycle";
import { SiteSchema, type Terms, TermsSchema, termsIdOf } from "@petak/protocol";
import { createKeys, type RedisConnection } from "@petak/redis";
import { createFrozenClock, type FrozenClock, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { createTermsBook } from "./terms-book.ts";
import { createTermsRecords } from "./terms-records.ts";
import { createTermsStore } from "./terms-store.ts";

const redis = useRedis();
const hourMs = 3_600_000;
const fallback = gatewayTerms({ collectWithinMs: 72 * hourMs, storageMaxMs: 336 * hourMs });
const plain = create(SiteSchema, { siteId: "site_83652b_k3v9c0x2md000001", operatorId: "par_1" });

let connection: RedisConnection;
let clock: FrozenClock;

beforeEach(async () => {
  clock = createFrozenClock(1_800_000_000_000);
  connection = await redis.connect();
  return () => connection.disconnect();
});

const records = () => createTermsRecords(connection, createKeys(redis.keyPrefix));
const store = () => createTermsStore(connection, records(), createKeys(redis.keyPrefix));
const book = () => createTermsBook(store(), fallback, clock.now);
const free = (hours: number): Terms => create(TermsSchema, { freeStorage: durationFromMs(hours * hourMs) });

describe("terms", () => {
  it("have one number for equal terms, however many store them concurrently, and another for others", async () => {
    const given = await Promise.all(
      [1, 2, 3, 1, 2, 3, 3].map(async (hours) => {
        const terms = termsInForce(fallback, free(hours));
        return { ...terms, termsId: await termsIdOf(terms) };
      }),
    );
    const all = await Promise.all(given.map((terms) => store().keep(terms)));
    expect([all[3], all[4], all[5], all[6]]).toEqual([all[0], all[1], all[2], all[2]]);
    expect(new Set(all).size).toBe(3);
    const found = await Promise.all(given.map(({ termsId }) => store().find(termsId)));
    expect(found).toEqual(given);
    const elsewhere = records();
    expect(await Promise.all(given.map(async ({ termsId }) => await elsewhere.numberOf(termsId)))).toEqual(all);
    expect(await Promise.all(all.map(async (number) => await records().idOf(number)))).toEqual(given.map(({ termsId }) => termsId));
  });

  it("that do not exist have no id and the first number, and a reservation without terms stays without", async () => {
    expect(await records().idOf(7)).toBe("");
    expect(await records().idOf(0)).toBe("");
    expect(await records().numberOf("terms_0123456789abcdef")).toBe(0);
    expect(records().numberOf("")).toBe(0);
  });

  it("of the gateway take no bytes in a record if there are no others, and keep their id after a restart", async () => {
    const first = await book().atSite(plain);
    expect(first.termsNumber).toBe(0);
    const changed = createTermsBook(store(), gatewayTerms({ collectWithinMs: hourMs, storageMaxMs: hourMs }), clock.now);
    const now = await changed.atSite(plain);
    expect(now.termsNumber).not.toBe(0);
    expect((await changed.of(first)).freeStorage).toEqual(fallback.freeStorage);
    expect(await book().of({ termsId: now.termsId })).toMatchObject({ freeStorage: durationFromMs(hourMs) });
  });

  it("are the same object while they are in force", async () => {
    const here = book();
    const other = create(SiteSchema, { siteId: "site_83652b_k3v9c0x2md000002", operatorId: "par_2" });
    const [first, second] = await here.at([plain, other]);
    expect(second).toBe(first);
    expect(here.at([plain, undefined, other])).toEqual([first, undefined, first]);
    clock.advance(10_000);
    expect(await here.at([plain])).toEqual([first]);
    expect(await here.atSite(plain)).toBe(first);
  });

  it("that an operator sets are in force at once at that gateway, and elsewhere within ten seconds", async () => {
    const [here, there] = [book(), book()];
    await Promise.all([here.atSite(plain), there.atSite(plain)]);
    await here.setDefault({ operatorId: "par_1", isTest: false }, free(1));
    expect((await here.atSite(plain)).freeStorage).toEqual(durationFromMs(hourMs));
    clock.advance(9999);
    expect((await there.atSite(plain)).freeStorage).toEqual(fallback.freeStorage);
    clock.advance(1);
    expect((await there.atSite(plain)).freeStorage).toEqual(durationFromMs(hourMs));
  });

  it("that an operator sets are in force at once at that gateway, even while the old ones are being read", async () => {
    const stored = store();
    const answered = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    const here = createTermsBook(
      {
        ...stored,
        async defaultOf(operator) {
          const terms = await stored.defaultOf(operator);
          answered.resolve();
          await letGo.promise;
          return terms;
        },
      },
      fallback,
      clock.now,
    );
    const reading = here.atSite(plain);
    await answered.promise;
    await here.setDefault({ operatorId: "par_1", isTest: false }, free(1));
    letGo.resolve();
    await reading;
    expect((await here.atSite(plain)).freeStorage).toEqual(durationFromMs(hourMs));
  });

  it("are read again ten seconds after they were requested, however long the reply took", async () => {
    const stored = store();
    const there = createTermsBook(
      {
        ...stored,
        async defaultOf(operator) {
          const terms = await stored.defaultOf(operator);
          clock.advance(9000);
          return terms;
        },
      },
      fallback,
      clock.now,
    );
    await there.atSite(plain);
    await book().setDefault({ operatorId: "par_1", isTest: false }, free(1));
    clock.advance(1000);
    expect((await there.atSite(plain)).freeStorage).toEqual(durationFromMs(hourMs));
  });
});

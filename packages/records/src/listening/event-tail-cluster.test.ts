import { create } from "@bufbuild/protobuf";
import { EventSchema, type Region } from "@petak/protocol";
import type { ClusterConnection } from "@petak/redis";
import { connectRedis, createKeys } from "@petak/redis";
import { startTestCluster, type TestCluster, type TestClusterNode, testStoreCode } from "@petak/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRecords, type Records } from "../records.ts";
import { reportHashes } from "../reservations/testing/report-hashes.ts";
import { testSiteIds } from "../testing/test-ids.ts";
import { createEventTail, type EventTail } from "./event-tail.ts";
import { type Growth, recordGrowth } from "./testing/record-growth.ts";

const participantId = "par_0000000000000001";
let cluster: TestCluster;
let connection: ClusterConnection;
const keys = createKeys("petak");
let records: Records;
let tail: EventTail;
let grown: Growth[];
/** One region at each master. */
let regions: Region[];

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster.stop());

const connect = () => connectRedis(cluster.address, { onError: () => undefined, commandTimeoutMs: 30_000 }) as ClusterConnection;

beforeEach(async () => {
  await cluster.whole();
  connection = connect();
  await connection.connect();
  records = createRecords({ redis: connection, storeCode: testStoreCode, prefix: "petak" });
  regions = cluster.nodes.map(regionAt);
  await connection.sadd(keys.regions(), ...regions);
  const growth = recordGrowth();
  grown = growth.all;
  tail = createEventTail({ connect, keys, siteIds: testSiteIds, onGrown: growth.onGrown, onError: () => undefined });
  await tail.catchUp();
  grown.length = 0;
  return async () => {
    await tail.stop();
    connection.disconnect();
  };
});

function regionAt({ port }: TestClusterNode): Region {
  for (let number = 0; ; number++) {
    const region = (0x836000 + number).toString(16);
    if (connection.masterOf(keys.events(region))?.options.port === port) return region;
  }
}

/** The regions that the tail reports, up to a number. */
async function heard(count: number): Promise<Set<Region>> {
  const told = () => new Set(grown.map(({ region }) => region));
  await expect.poll(() => told().size).toBe(count);
  const all = told();
  grown.length = 0;
  return all;
}

let sequence = 0;

async function record(region: Region): Promise<void> {
  const event = create(EventSchema, { participantId });
  sequence++;
  const report = { siteId: testSiteIds.format(region, 1), keyId: `key_${sequence}`, sequence: 1, ...reportHashes(1) };
  expect((await records.reservations.record(region, report, event)).tag).toBe("done");
}

describe("the event tail of a cluster", () => {
  it("reports a region whose slot moves to another master, before, during and after the move", async () => {
    const [region = ""] = regions;
    const [from, to] = cluster.nodes as [TestClusterNode, TestClusterNode];
    await record(region);
    expect(await heard(1)).toEqual(new Set([region]));
    await cluster.moveSlot(keys.events(region), from, to);
    await record(region);
    expect(await heard(1)).toEqual(new Set([region]));
    await expect.poll(() => connection.masterOf(keys.events(region))?.options.port).toBe(to.port);
    await record(region);
    expect(await heard(1)).toEqual(new Set([region]));
    await cluster.moveSlot(keys.events(region), to, from);
  });

  it("reports all regions again when a master was killed and restarted", async () => {
    const [region = ""] = regions;
    const [node] = cluster.nodes as [TestClusterNode];
    await node.kill9();
    await node.restart();
    await expect
      .poll(() =>
        connection
          .ping()
          .then(() => record(region))
          .then(
            () => true,
            () => false,
          ),
      )
      .toBe(true);
    expect(await heard(1)).toEqual(new Set([region]));
    for (const one of regions) await record(one);
    await tail.catchUp();
    expect(await heard(3)).toEqual(new Set(regions));
  });
});

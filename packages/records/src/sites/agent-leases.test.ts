import { createKeys, createSiteIds, type RedisConnection } from "@petak/redis";
import { createRandom, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, expect, it } from "vitest";
import { type AgentLeases, createAgentLeases, endLease, type HeldEpoch } from "./agent-leases.ts";

const redis = useRedis();
const siteIds = createSiteIds(testStoreCode);
const key = { siteId: siteIds.format("83652b", 1), keyId: "key_test_0000000000000001" };
/** The leases of two gateways. */
let leases: [AgentLeases, AgentLeases];

beforeEach(async () => {
  const connections: RedisConnection[] = [await redis.connect(), await redis.connect()];
  leases = connections.map((connection) => createAgentLeases(connection, createKeys(redis.keyPrefix), siteIds)) as typeof leases;
  return () => {
    for (const connection of connections) connection.disconnect();
  };
});

const nameOfLease = () => createKeys(redis.keyPrefix).agentLease("83652b", 1, key.keyId);

let nonces = 0;
const nonce = () => new Uint8Array(16).fill(0).map((_, at) => (at < 4 ? (++nonces >> (8 * at)) & 255 : 0));

/** An agent's disk, which can be copied, and the process that uses it. */
interface Disk {
  held: HeldEpoch | undefined;
  asked: Uint8Array | undefined;
}

async function boot(
  disk: Disk,
  { gateway = 0, processNonce = nonce(), isAnswerLost = false, provenAtMs = 0, nowMs = 0 } = {},
): Promise<number | undefined> {
  disk.asked ??= nonce();
  const outcome = await (leases[gateway] as AgentLeases).take({
    ...key,
    held: disk.held,
    bootNonce: disk.asked,
    processNonce,
    provenAtMs,
    nowMs,
  });
  if (outcome.tag !== "given") return undefined;
  if (!isAnswerLost) Object.assign(disk, { held: { number: outcome.epoch, nonce: disk.asked }, asked: undefined });
  return outcome.epoch;
}

it("each start of an agent gets the next epoch, and the same process the same again", async () => {
  const disk: Disk = { held: undefined, asked: undefined };
  expect(await boot(disk)).toBe(1);
  expect(await boot(disk)).toBe(2);
  const [processNonce, bootNonce] = [nonce(), nonce()];
  const request = { ...key, held: disk.held, bootNonce, processNonce, nowMs: 0 };
  for (const gateway of leases) expect(await gateway.take(request)).toMatchObject({ tag: "given", epoch: 3 });
  const held = { number: 3, nonce: bootNonce };
  expect(await leases[1].take({ ...request, held })).toMatchObject({ tag: "given", epoch: 3 });
  expect(await leases[1].otherThan(key, held)).toBeUndefined();
  expect(await leases[1].otherThan(key, disk.held)).toMatchObject({ number: 3 });
});

it("an agent whose answer was lost goes on after a crash, and a copy of its disk does not go on beside it", async () => {
  const disk: Disk = { held: undefined, asked: undefined };
  expect(await boot(disk, { isAnswerLost: true })).toBe(1);
  const copy = { ...disk };
  expect(await boot(disk)).toBe(2);
  expect(await boot(copy)).toBe(3);
  // The first that calls.
  expect(await leases[0].otherThan(key, disk.held)).toBeUndefined();
  expect(await leases[0].otherThan(key, copy.held)).toMatchObject({ number: 3 });
  expect(await boot(copy)).toBeUndefined();
  expect(await boot(disk)).toBe(4);
});

it("the boot of a process that has ended comes late and disturbs the one that came after it in nothing, whether that has called since or not", async () => {
  for (const hasCalled of [false, true]) {
    const disk: Disk = { held: undefined, asked: undefined };
    const key = { siteId: siteIds.format("83652b", 1), keyId: `key_test_late_${hasCalled}` };
    const late = { ...key, held: undefined, bootNonce: nonce(), processNonce: nonce(), nowMs: 0 };
    expect(await leases[0].take({ ...late, processNonce: nonce() })).toMatchObject({ tag: "given", epoch: 1 });
    Object.assign(disk, { held: { number: 1, nonce: late.bootNonce } });
    if (hasCalled) expect(await leases[0].otherThan(key, disk.held)).toBeUndefined();
    expect(await leases[1].take(late)).toMatchObject(hasCalled ? { tag: "stale", currentEpoch: 1 } : { tag: "given", epoch: 2 });
    for (const _ of [1, 2]) expect(await leases[0].otherThan(key, disk.held)).toBeUndefined();
    expect(await leases[0].otherThan(key, { number: 2, nonce: late.bootNonce })).toBeDefined();
    const next = { ...late, held: disk.held, bootNonce: nonce(), processNonce: nonce() };
    expect(await leases[0].take(next)).toMatchObject({ tag: "given", epoch: hasCalled ? 2 : 3 });
  }
});

it("a copy of the disk from before an answer came gets nothing once that epoch was named", async () => {
  const disk: Disk = { held: undefined, asked: undefined };
  await boot(disk, { isAnswerLost: true });
  const copy = { ...disk };
  expect(await boot(disk)).toBe(2);
  expect(await leases[0].otherThan(key, disk.held)).toBeUndefined();
  expect(await boot(copy)).toBeUndefined();
  expect(await boot(disk)).toBe(3);
});

it("an epoch that a restored store has lost is followed by another far above it, if it is proven to be later than all that the store knows", async () => {
  const disk: Disk = { held: undefined, asked: undefined };
  await boot(disk, { nowMs: 100 });
  const old = { ...disk };
  const backup = await redis.client.dumpBuffer(nameOfLease());
  expect(await boot(disk, { nowMs: 200 })).toBe(2);
  await redis.client.restore(nameOfLease(), 0, backup ?? "", "REPLACE");
  expect(await boot({ ...disk })).toBeUndefined();
  expect(await boot({ ...disk }, { provenAtMs: 100 })).toBeUndefined();
  expect(await leases[0].otherThan(key, disk.held)).toEqual({ number: 1, givenAtMs: 100 });
  expect(await boot(disk, { provenAtMs: 200, nowMs: 300 })).toBe(1002);
  expect(await leases[0].otherThan(key, disk.held)).toBeUndefined();
  // A copy of the disk from before the backup.
  expect(await boot(old, { provenAtMs: 100 })).toBeUndefined();
});

it("after the operator's word nobody goes on by a proof of what was before", async () => {
  const [disk, other]: Disk[] = [
    { held: undefined, asked: undefined },
    { held: undefined, asked: undefined },
  ] as [Disk, Disk];
  await boot(disk, { nowMs: 100 });
  await leases[0].letGoOn({ ...key, heldEpoch: 0, requestId: "word", nowMs: 300 });
  for (const isAnswerLost of [true, false]) {
    expect(await boot({ ...disk }, { provenAtMs: 200 })).toBeUndefined();
    await boot(other, { nowMs: 400, isAnswerLost });
  }
  expect(await boot({ ...disk }, { provenAtMs: 300 })).toBeUndefined();
  const again = { ...key, held: other.held, bootNonce: nonce(), processNonce: nonce(), nowMs: 0 };
  expect(await leases[0].take(again)).toMatchObject({ tag: "given", isByWord: false });
});

it("the operator's word is told until an epoch that was given by it is named", async () => {
  const disk: Disk = { held: undefined, asked: undefined };
  await boot(disk);
  await leases[0].letGoOn({ ...key, heldEpoch: 1, requestId: "word", nowMs: 0 });
  const request = { ...key, held: disk.held, bootNonce: nonce(), nowMs: 0 };
  for (const processNonce of [nonce(), nonce()]) {
    for (const _ of [1, 2]) expect(await leases[0].take({ ...request, processNonce })).toMatchObject({ tag: "given", isByWord: true });
  }
  const held = { number: 4, nonce: request.bootNonce };
  expect(await leases[0].otherThan(key, held)).toBeUndefined();
  const after = await leases[0].take({ ...request, held, bootNonce: nonce(), processNonce: nonce() });
  expect(after).toMatchObject({ tag: "given", epoch: 5, isByWord: false });
});

it("a key that was revoked gets no epoch", async () => {
  await endLease(redis.client, nameOfLease());
  expect(await leases[0].take({ ...key, held: undefined, bootNonce: nonce(), processNonce: nonce(), nowMs: 0 })).toEqual({ tag: "ended" });
});

it("whoever knows the number of the last epoch and not its nonce gets nothing", async () => {
  const disk: Disk = { held: undefined, asked: undefined };
  await boot(disk);
  const old = { ...disk };
  expect(await boot(disk)).toBe(2);
  const invented = { number: 2, nonce: old.held?.nonce ?? nonce() };
  expect(await leases[0].otherThan(key, invented)).toMatchObject({ number: 2 });
  expect(await boot({ held: invented, asked: undefined })).toBeUndefined();
  expect(await boot({ held: { number: 3, nonce: nonce() }, asked: undefined })).toBeUndefined();
  expect(await boot(disk)).toBe(3);
});

it("agents of an earlier release need no epoch until one was given to their key", async () => {
  const earlier = { ...key, held: undefined, bootNonce: new Uint8Array(), processNonce: new Uint8Array(), nowMs: 0 };
  expect(await leases[0].take(earlier)).toEqual({ tag: "none" });
  expect(await leases[0].otherThan(key, undefined)).toBeUndefined();
  await boot({ held: undefined, asked: undefined });
  expect(await leases[0].take(earlier)).toEqual({ tag: "stale", currentEpoch: 1 });
  expect(await leases[0].otherThan(key, undefined)).toMatchObject({ number: 1 });
});

it("of any disks with one key one is in force, and no epoch is given twice, whatever is copied, lost and started at once", async () => {
  const random = createRandom(testSeed());
  const disks: Disk[] = [{ held: undefined, asked: undefined }];
  const given: number[] = [];
  for (let step = 0; step < 150; step++) {
    const disk = disks[random.int(0, disks.length - 1)] as Disk;
    if (disks.length < 4 && random.bool(0.2)) disks.push({ ...disk });
    const starts = random.bool(0.3) ? disks : [disk];
    const isAnswerLost = random.bool(0.2);
    const epochs = await Promise.all(starts.map((one, gateway) => boot(one, { gateway: gateway % 2, isAnswerLost })));
    given.push(...epochs.filter((epoch) => epoch !== undefined));
    const standing = await Promise.all(
      disks.map(async ({ held }) => held !== undefined && (await leases[0].otherThan(key, held)) === undefined),
    );
    // Copies that nobody has started are one and the same.
    const inForce = new Set(disks.filter((_, at) => standing[at]).map(({ held }) => held?.number));
    expect(inForce.size).toBeLessThanOrEqual(1);
  }
  expect(new Set(given).size).toBe(given.length);
  expect(Math.max(...given)).toBe(given.length);
});

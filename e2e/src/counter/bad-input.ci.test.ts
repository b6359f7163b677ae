import { randomUUID } from "node:crypto";
import { Code } from "@connectrpc/connect";
import { credentialHash, generateIssuerKey, mintAccessToken, newTokenId, readOwnToken } from "@petak/credential";
import { Act, EventType } from "@petak/protocol";
import { Direction, EntryRefusal } from "@petak/protocol/counter";
import { useRedis } from "@petak/testkit";
import { beforeEach, expect, it } from "vitest";
import { useDisks } from "../offline/use-disks.ts";
import { hourMs, openShop, type Shop } from "./open-shop.ts";

const redis = useRedis();
const disks = useDisks();
let shop: Shop;

beforeEach(async () => {
  shop = await openShop(redis, false);
});

/** A parcel that has come without a list. Returns its reservation. */
async function comes(label: string): Promise<string> {
  const { couriers, store } = shop;
  const reservationId = await couriers.announce(label);
  await store.agent.syncNow();
  const deliveryId = randomUUID();
  await store.does({ case: "beginDelivery", value: { deliveryId, direction: Direction.IN } });
  const text = await couriers.codeOf(reservationId, Act.DEPOSIT);
  expect(await store.does({ case: "scanParcel", value: { deliveryId, label: text } })).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
  await store.agent.flushed();
  return reservationId;
}

const shows = (text: string) => shop.store.does({ case: "showCode", value: { text } });

it("says the same of each code that opens nothing, whatever is wrong with it, and tells the operator of those that are of its parcels", async () => {
  const { couriers, store, network, operator, courier, siteId, otherSiteId, timers } = shop;
  const spent = await comes("BX-1");
  const spentCode = await couriers.codeOf(spent);
  const { handOver } = await shows(spentCode);
  await store.does({ case: "moveParcel", value: { handOverId: handOver?.handOverId ?? "", label: spent } });

  const revoked = await comes("BX-2");
  const revokedCode = await couriers.codeOf(revoked);
  const { tokenId = "" } = (await readOwnToken(revokedCode)) ?? {};
  const revoking = { requestId: randomUUID(), credentialHash: await credentialHash(tokenId) };
  await courier.client.reservations.revokeCredential({ ...revoking, subject: { case: "reservationId", value: revoked } });

  const kept = await comes("BX-3");
  const keptCode = await couriers.codeOf(kept);
  const forged = { act: Act.COLLECT, siteId, reservationId: kept, notBeforeMs: timers.now(), expiresAtMs: timers.now() + hourMs };
  const foreignCode = await mintAccessToken({ issuerKey: await generateIssuerKey(), tokenId: newTokenId(), ...forged });
  const elsewhere = await couriers.announce("BX-4", { siteId: otherSiteId });
  await store.agent.syncNow();
  const codes = {
    spent: spentCode,
    revoked: revokedCode,
    "of another site": await couriers.codeOf(elsewhere, Act.DEPOSIT),
    "of another network": foreignCode,
    changed: `${keptCode.slice(0, -4)}AAAA`,
    cut: keptCode.slice(0, 120),
    unreadable: "\u00ff\u00fe~!@#",
    "somebody's PIN": "00000000",
  };
  for (const [what, text] of Object.entries(codes)) {
    const { entryId: _, ...answer } = await shows(text);
    expect([what, answer]).toEqual([
      what,
      { ...answer, refusal: EntryRefusal.CODE_NOT_ACCEPTED, handOver: undefined, delivery: undefined },
    ]);
  }
  // A call that is under way when hours pass is refused, since its token has ended, and repeated by the timers only.
  await store.agent.flushed();
  timers.advance(3 * hourMs);
  expect(await shows(keptCode)).toMatchObject({ refusal: EntryRefusal.CODE_NOT_ACCEPTED });
  await store.agent.flushed();
  const { events } = await operator.client.custody.listEvents({ pageSize: 1000 });
  const refusedOf = events.filter(({ type }) => type === EventType.DOOR_REFUSED).map(({ reservationId }) => reservationId);
  expect(refusedOf).toEqual(expect.arrayContaining([spent, revoked, kept]));
  expect(network.log().filter(({ level }) => level >= 50)).toEqual([]);
});

it("does nothing while the agent's disk is full, and loses nothing: a code may be shown again, and what was done is sent again", async () => {
  const { couriers, store } = shop;
  const reservationId = await comes("BX-1");
  const code = await couriers.codeOf(reservationId);
  const unavailable = { name: "ConnectError", code: Code.Unavailable };
  disks.setFull(store.storePath, true);
  expect(await shows(code)).toMatchObject({ refusal: EntryRefusal.OUT_OF_ORDER });
  await expect(store.does({ case: "setIntake", value: { isPaused: true } })).rejects.toMatchObject(unavailable);
  disks.setFull(store.storePath, false);
  const { handOver } = await shows(code);
  const handOverId = handOver?.handOverId ?? "";
  disks.setFull(store.storePath, true);
  const moving = { case: "moveParcel", value: { handOverId, label: reservationId } } as const;
  await expect(store.does(moving)).rejects.toMatchObject(unavailable);
  disks.setFull(store.storePath, false);
  expect(await store.does(moving)).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
});

it("takes what a tablet did by a clock that is ten years off, at the agent's time", async () => {
  const { couriers, courier, store, timers } = shop;
  const reservationId = await comes("BX-1");
  const wrongMs = timers.now() + 10 * 365 * 24 * hourMs;
  const { handOver } = await store.does({ case: "showCode", value: { text: await couriers.codeOf(reservationId) } }, wrongMs);
  const moving = { case: "moveParcel", value: { handOverId: handOver?.handOverId ?? "", label: reservationId } } as const;
  expect(await store.does(moving, 0)).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
  await store.agent.flushed();
  const { events } = await courier.client.custody.getCustodyChain({ reservationId });
  const collected = events.filter(({ type }) => type === EventType.PARCEL_COLLECTED);
  expect(collected.map(({ occurredAt }) => Number(occurredAt?.seconds) * 1000)).toEqual([timers.now()]);
});

import { promote, promotedEvent } from "@petak/lifecycle";
import { HoldKind, PartyKind, type Reservation } from "@petak/protocol";
import { testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { createRecords, type Records } from "../records.ts";
import { siteWithNames } from "../reservations/testing/named-site.ts";
import { end, holdMs, reserveOrWait, type Wish } from "./testing/waiting.ts";

const redis = useRedis();
const startMs = 1_800_000_000_000;
let records: Records;

beforeEach(async () => {
  const connection = await redis.connect();
  records = createRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  return () => connection.disconnect();
});

async function reserved(wish: Wish, nowMs: number): Promise<Reservation> {
  const outcome = await reserveOrWait(records, wish, nowMs);
  if (outcome.tag === "none") throw new Error("no place, and no waiting");
  return outcome.reservation;
}

describe("a promotion by a script", () => {
  it.each([
    { kind: "soft", holdKind: HoldKind.SOFT, heldCompartmentId: "" },
    { kind: "hard", holdKind: HoldKind.HARD, heldCompartmentId: "M0" },
  ])("of a $kind hold writes the same as the lifecycle's transition", async ({ holdKind, heldCompartmentId }) => {
    const classes: [string, number, number, number, number, number][] = [["M", 200, 200, 200, 1000, 1]];
    const { siteId } = await records.sites.put(siteWithNames({ latitude: 1.35, longitude: 103.82, ref: "full", classes }), 0);
    const wish = { siteIds: [siteId], edgeMm: 100, holdKind };
    const first = await reserved({ ...wish, number: 1 }, startMs);
    const { reservationId } = await reserved({ ...wish, number: 2 }, startMs + 1);
    const waiting = (await records.reservations.find(reservationId)) as Reservation;

    const atMs = startMs + 60_123;
    await end(records, first.reservationId, atMs);

    const { operatorId } = waiting;
    const place = { siteId, operatorId, sizeClassId: "M", termsId: "", heldCompartmentId, holdMs };
    const { after, deadlineMs, events } = promote(waiting, place, atMs);
    expect(await records.reservations.find(reservationId)).toEqual(after);
    const region = siteId.slice("site_".length, "site_".length + 6);
    expect(await records.reservations.due(region, (deadlineMs as number) - 1, 10)).toEqual([]);
    expect(await records.reservations.due(region, deadlineMs as number, 10)).toEqual([reservationId]);
    // The event was encoded when the reservation was queued, and completed by the script that freed the place.
    const recorded = (await records.events.chain(reservationId)).at(-1);
    const [event] = events;
    const { type, occurredAt, reservationRevision } = event ?? {};
    expect(recorded).toMatchObject({ type, occurredAt, reservationRevision, siteId, operatorId });
    const made = promotedEvent({ ...waiting, state: after?.state ?? waiting.state }, reservationId, startMs);
    expect(made).toMatchObject({
      type,
      stateBefore: event?.stateBefore,
      stateAfter: event?.stateAfter,
      actor: { kind: PartyKind.GATEWAY },
    });
  });
});

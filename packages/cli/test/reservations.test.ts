import { randomUUID } from "node:crypto";
import { CancellationReason, type Reservation } from "@petak/protocol";
import { beforeAll, describe, expect, test } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();
let keys: { courier: string; operator: string };
let siteId: string;
let held: Reservation;
let confirmed: Reservation;

const parcel = { widthMm: 100, heightMm: 100, depthMm: 100, massG: 500 };

beforeAll(async () => {
  keys = { courier: await gateway.makeParticipant("Courier", "courier"), operator: await gateway.makeParticipant("Operator", "operator") };
  siteId = await gateway.putSite(keys.operator);
  const { reservations } = await gateway.clientOf(keys.courier);
  const reserve = async (partnerReference: string) => {
    const place = { case: "siteId", value: siteId } as const;
    return (await reservations.reserve({ requestId: randomUUID(), place, parcel, partnerReference })).reservation as Reservation;
  };
  [held, confirmed] = [await reserve("order-1"), await reserve("order-2")];
  await reservations.confirm({ requestId: randomUUID(), reservationId: confirmed.reservationId });
});

async function listed(key: string, ...args: string[]): Promise<string[]> {
  const { exitCode, stdout } = await gateway.petak(["--key", key, "reservations", ...args, "--json"]);
  expect(exitCode).toBe(0);
  const { reservations = [] } = JSON.parse(stdout) as { reservations?: { reservationId: string }[] };
  return reservations.map(({ reservationId }) => reservationId);
}

describe("petak reservations", () => {
  test("lists the courier's own, and the operator's of its sites", async () => {
    for (const key of [keys.courier, keys.operator]) expect(await listed(key)).toEqual([held.reservationId, confirmed.reservationId]);
    const stranger = await gateway.makeParticipant("Stranger", "courier");
    expect(await listed(stranger)).toEqual([]);
    const { stdout } = await gateway.petak(["--key", stranger, "reservations"]);
    expect(stdout).toContain("No reservations.");
  });

  test("shows state, limit, site, operator and reference", async () => {
    const { stdout } = await gateway.petak(["--key", keys.courier, "reservations"]);
    expect(stdout).toMatch(
      new RegExp(`^${held.reservationId} +held +\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\dZ +${siteId} +Operator +order-1$`, "m"),
    );
    expect(stdout).toMatch(new RegExp(`^${confirmed.reservationId} +confirmed .*order-2$`, "m"));
  });

  test("filters, and reports if there may be more", async () => {
    expect(await listed(keys.courier, "--state", "confirmed,deposited")).toEqual([confirmed.reservationId]);
    expect(await listed(keys.courier, "--reference", "order-1", "--site", siteId)).toEqual([held.reservationId]);
    expect(await listed(keys.courier, "--overdue")).toEqual([]);
    expect(await listed(keys.courier, "--before", new Date(Date.now() + 3_600_000).toISOString())).toEqual([held.reservationId]);
    const { stdout } = await gateway.petak(["--key", keys.courier, "reservations", "--limit", "1"]);
    expect(stdout).toContain("There may be more: --limit is 1.");
  });

  test("leaves out those that have ended, if asked to", async () => {
    const { reservations } = await gateway.clientOf(keys.courier);
    const place = { case: "siteId", value: siteId } as const;
    const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel });
    const { reservationId = "" } = reservation ?? {};
    await reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.ORDER_CANCELLED });
    expect(await listed(keys.courier)).toContain(reservationId);
    expect(await listed(keys.courier, "--open")).toEqual([held.reservationId, confirmed.reservationId]);
  });

  test.each([
    ["states and open ones at once", ["--open", "--state", "held"], /cannot be used with/],
    ["a state that is none", ["--state", "lost"], /Write one of requested, queued/],
    ["a limit that is none", ["--limit", "0"], /Write a number from 1/],
  ])("says so of %s", async (_, args, message) => {
    const { exitCode, stderr } = await gateway.petak(["--key", keys.courier, "reservations", ...args]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});

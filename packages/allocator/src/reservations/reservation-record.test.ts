import { create, type DescField, ScalarType } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { HoldKind, OverflowPolicySchema, ParcelSchema, PartyKind, PartySchema, ReservationSchema, ReservationState } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { decodeChain, decodeReservation, encodeReservation } from "./reservation-record.ts";

const region = "83652b";
const handle = "0123456789abcdef";
const reservationId = `res_${region}_${handle}`;

/** A value of a field that is not the one it has when it is not set. */
function someValue(field: DescField): unknown {
  switch (field.fieldKind) {
    case "enum":
      return ReservationState.HELD;
    case "message":
      if (field.message === ParcelSchema) return create(ParcelSchema, { widthMm: 1, heightMm: 2, depthMm: 3, massG: 4 });
      if (field.message === PartySchema) return create(PartySchema, { kind: PartyKind.PARTICIPANT, participantId: "par_b" });
      if (field.message === OverflowPolicySchema) return create(OverflowPolicySchema, { maxDistanceM: 500, operatorIds: ["par_c"] });
      return timestampFromMs(1_790_000_000_000 + field.number);
    case "list":
      if (field.listKind === "scalar") return ["text", `text ${field.number}`];
      return [create(field.message ?? ReservationSchema, { credentialHash: "hash" })];
    default:
      if (field.scalar === ScalarType.BOOL) return true;
      return field.scalar === ScalarType.STRING ? `text ${field.number}` : 7;
  }
}

describe("a reservation's record", () => {
  it.each(ReservationSchema.fields.map((field) => [field.localName, field] as const))("keeps %s", (_name, field) => {
    const updatedAt = timestampFromMs(1_790_000_000_000);
    const reservation = create(ReservationSchema, { revision: 1, updatedAt, holdKind: HoldKind.SOFT, [field.localName]: someValue(field) });
    reservation.reservationId = reservationId;
    expect(decodeReservation(region, handle, encodeReservation(reservation))).toEqual(reservation);
  });

  it("keeps who the parties are, though it names the participant once", () => {
    const party = (kind: PartyKind, participantId: string) => create(PartySchema, { kind, participantId });
    for (const depositor of [party(PartyKind.PARTICIPANT, "par_a"), party(PartyKind.PARTICIPANT, "par_b"), party(PartyKind.CONSUMER, "")]) {
      const createdAt = timestampFromMs(1_790_000_000_000);
      const reservation = create(ReservationSchema, {
        reservationId,
        participantId: "par_a",
        depositor,
        createdAt,
        updatedAt: createdAt,
        holdKind: HoldKind.SOFT,
      });
      expect(decodeReservation(region, handle, encodeReservation(reservation))).toEqual(reservation);
    }
  });

  it.each([
    ["of its region", `site_${region}_vj2`],
    ["of another region", "site_836520_vj2"],
    ["that is empty", ""],
  ])("keeps a site %s", (_which, siteId) => {
    const reservation = create(ReservationSchema, { reservationId, siteId, participantId: "par_a", holdKind: HoldKind.SOFT });
    expect(decodeReservation(region, handle, encodeReservation(reservation))).toEqual(reservation);
  });

  it("does not name its region, which its key names", () => {
    const stored = encodeReservation(create(ReservationSchema, { reservationId, siteId: `site_${region}_vj2`, participantId: "par_a" }));
    expect(stored.includes(region)).toBe(false);
  });

  it("takes no byte to say that a hold is soft, and says so where nothing does", () => {
    const reservation = create(ReservationSchema, { reservationId, participantId: "par_a", revision: 1, holdKind: HoldKind.SOFT });
    const stored = encodeReservation(reservation);
    expect(stored).toEqual(encodeReservation({ ...reservation, holdKind: HoldKind.UNSPECIFIED }));
    expect(decodeReservation(region, handle, stored).holdKind).toBe(HoldKind.SOFT);
    expect(reservation.holdKind).toBe(HoldKind.SOFT);
  });

  it("ends with its chain", () => {
    const entries = Buffer.alloc(20);
    entries.writeUIntLE(1_790_000_000_000, 0, 6);
    entries.writeUIntLE(1_790_000_000_001, 10, 6);
    entries.writeUInt32LE(3, 16);
    const record = encodeReservation(create(ReservationSchema, { reservationId, participantId: "par_a", revision: 1 }));
    expect(decodeChain(record)).toEqual([]);
    expect(decodeChain(Buffer.concat([record, entries]))).toEqual(["1790000000000-0", "1790000000001-3"]);
  });
});

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type Event, EventSchema, EventType, ReservationSchema, ReservationState } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { encodeEvent } from "../../encoding/event-bytes.ts";
import { streamEvent } from "../../events/event-stream.ts";
import { testSiteIds } from "../../testing/test-ids.ts";
import { eventLine, isEventOf, isLineOf, isReservationOf, readReservation, recordedEvent, reservationLine } from "./archive-line.ts";

const reservationId = "res_83652b_0000000000000001";

/** A message with a field that this version does not know. */
function withNewerField(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, new BinaryWriter().tag(9999, WireType.LengthDelimited).string("newer").finish()]);
}

const event = (): Event =>
  create(EventSchema, {
    eventId: "evt_83652b_0000000000000001",
    reservationId,
    siteId: testSiteIds.format("83652b", 8),
    type: EventType.PARCEL_COLLECTED,
    partnerReference: 'a "b"\n€',
  });

describe("a line of the archive", () => {
  it("is readable JSON from which the event is decoded to the byte", () => {
    const bytes = encodeEvent(event(), testSiteIds);
    const line = eventLine(streamEvent("5-1", bytes, testSiteIds));
    expect(JSON.parse(line)).toMatchObject({ entry: "5-1", event: { type: "EVENT_TYPE_PARCEL_COLLECTED", reservationId } });
    expect(line).not.toContain("\n");
    const logged = recordedEvent(line);
    expect(logged.entry).toBe("5-1");
    expect(toBinary(EventSchema, logged.event)).toEqual(toBinary(EventSchema, event()));
    expect(isEventOf(line, streamEvent("5-1", bytes, testSiteIds))).toBe(true);
    expect(isEventOf(line, streamEvent("5-2", bytes, testSiteIds))).toBe(false);
    expect(isEventOf(line, streamEvent("5-1", encodeEvent({ ...event(), partnerReference: "other" }, testSiteIds), testSiteIds))).toBe(
      false,
    );
  });

  it("preserves what a newer gateway has written and this one does not know", () => {
    const bytes = Buffer.from(withNewerField(encodeEvent(event(), testSiteIds)));
    const line = eventLine(streamEvent("5-1", bytes, testSiteIds));
    expect(JSON.parse(line)).toMatchObject({ event: { reservationId }, binary: expect.any(String) });
    expect(recordedEvent(line).event.$unknown).toHaveLength(1);
    expect(recordedEvent(line).event.siteId).toBe(event().siteId);
    expect(isEventOf(line, streamEvent("5-1", bytes, testSiteIds))).toBe(true);
    const reservation = create(ReservationSchema, {
      reservationId,
      participantId: "par_1",
      revision: 3,
      state: ReservationState.COLLECTED,
    });
    const newer = fromBinary(ReservationSchema, withNewerField(toBinary(ReservationSchema, reservation)));
    const chain = ["1-0", "5-1"];
    const archived = reservationLine({ reservation: newer, chain });
    expect(isLineOf(archived, reservationId)).toBe(true);
    expect(readReservation(archived).chain).toEqual(chain);
    expect(isReservationOf(archived, { reservation: { ...newer, revision: 4 }, chain })).toBe(false);
    expect(isReservationOf(archived, { reservation: newer, chain: ["1-0"] })).toBe(false);
  });

  it("preserves bytes that are no event", () => {
    const line = eventLine(streamEvent("5-1", Buffer.from("no event"), testSiteIds));
    expect(JSON.parse(line)).toEqual({ entry: "5-1", binary: Buffer.from("no event").toString("base64") });
    expect(() => recordedEvent(line).event).toThrow();
  });
});

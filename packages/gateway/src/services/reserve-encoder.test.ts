import { create, equals, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import {
  HoldKind,
  OverflowFallback,
  OverflowPolicySchema,
  type ParcelRequirement,
  ParcelSchema,
  PartyKind,
  PartySchema,
  Purpose,
  ReservationSchema,
  ReservationState,
  ReserveResponseSchema,
  SiteKind,
  SiteSummarySchema,
} from "@petak/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reserveEncoder } from "./reserve-encoder.ts";

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("", "M", "res_83652b_8xk2m4p9q7w3t5z1", '"\\\u2028\u0000', "Café 停车场"),
);
const whole = fc.oneof(fc.constant(0), fc.nat(0xffffffff));
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });
const unknown = fc.oneof(
  { weight: 9, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constant([{ no: 1999, wireType: WireType.Varint, data: Uint8Array.of(1) }]) },
);

const time = fc
  .record({
    seconds: fc.oneof(fc.bigInt({ min: 1_700_000_000n, max: 1_900_000_000n }), fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n })),
    nanos: fc.constantFrom(0, 1, 5_000_000, 120_000_000, 999_000_000, 123_456_789),
  })
  .map((facts) => create(TimestampSchema, facts));
const party = fc
  .record({ kind: fc.constantFrom(PartyKind.PARTICIPANT, PartyKind.CONSUMER, PartyKind.UNSPECIFIED, 99 as PartyKind), participantId: text })
  .map((facts) => create(PartySchema, facts));
const parcel = fc
  .record({
    widthMm: whole,
    heightMm: whole,
    depthMm: whole,
    massG: whole,
    requirements: fc.array(fc.constantFrom<ParcelRequirement[]>(0, 1, 6, 77 as ParcelRequirement, -1 as ParcelRequirement)),
  })
  .map((facts) => create(ParcelSchema, facts));
const overflowFallback = fc.constantFrom(OverflowFallback.UNSPECIFIED, OverflowFallback.ASK_CONSUMER, 99 as OverflowFallback);
const wait = fc
  .record({ seconds: fc.bigInt({ min: 0n, max: 315_576_000_000n }), nanos: fc.constantFrom(0, 1, 5_000_000, 120_000_000, 123_456_789) })
  .map((facts) => create(DurationSchema, facts));
const overflowPolicy = fc
  .record({ maxDistanceM: whole, operatorIds: fc.array(text), wait: maybe(wait), fallback: overflowFallback })
  .map((facts) => create(OverflowPolicySchema, facts));
const reservation = fc
  .record({
    reservationId: text,
    siteId: text,
    operatorId: text,
    participantId: text,
    state: fc.constantFrom(ReservationState.HELD, ReservationState.UNSPECIFIED, 99 as ReservationState, -1 as ReservationState),
    purpose: fc.constantFrom(Purpose.DELIVERY, Purpose.RETURN, Purpose.UNSPECIFIED, 99 as Purpose),
    sizeClassId: text,
    parcel: maybe(parcel),
    depositor: maybe(party),
    collector: maybe(party),
    partnerReference: text,
    isTest: fc.boolean(),
    revision: whole,
    createdAt: maybe(time),
    updatedAt: maybe(time),
    holdExpiresAt: maybe(time),
    depositUntil: maybe(time),
    collectUntil: maybe(time),
    compartmentId: text,
    depositedAt: maybe(time),
    collectedAt: maybe(time),
    holdKind: fc.constantFrom(HoldKind.SOFT, HoldKind.HARD, HoldKind.UNSPECIFIED, 99 as HoldKind),
    heldCompartmentId: text,
    overflowPolicy: maybe(overflowPolicy),
    queuedUntil: maybe(time),
    queuePosition: whole,
    queuedSince: maybe(time),
    wantedSiteId: text,
    overflowFallback,
    queuedSiteIds: fc.array(text),
    isSameTime: fc.boolean(),
    unknown,
    unknownInParcel: unknown,
  })
  .map(({ isSameTime, unknown: ofReservation, unknownInParcel, ...facts }) => {
    const made = create(ReservationSchema, facts);
    // The same object twice, as in a reservation that was just made.
    if (isSameTime && made.createdAt !== undefined) made.updatedAt = made.createdAt;
    if (ofReservation !== undefined) made.$unknown = [...ofReservation];
    if (unknownInParcel !== undefined && made.parcel !== undefined) made.parcel.$unknown = [...unknownInParcel];
    return made;
  });
const site = fc
  .record({
    siteId: text,
    operatorId: text,
    kind: fc.constantFrom(SiteKind.PARCEL_TERMINAL, SiteKind.UNSPECIFIED, 99 as SiteKind),
    name: text,
    alwaysOpen: fc.boolean(),
    revision: whole,
  })
  .map((facts) => create(SiteSummarySchema, facts));
const distance = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1e21, 5e-324, 12.5, Number.NaN, Number.NEGATIVE_INFINITY));

describe("the encoder of Reserve's answer", () => {
  it("writes what the library would write, to the byte", () => {
    let own = 0;
    fc.assert(
      fc.property(maybe(reservation), maybe(site), distance, unknown, (held, at, distanceM, $unknown) => {
        const answer = create(ReserveResponseSchema, { reservation: held, site: at, distanceM });
        if ($unknown !== undefined) answer.$unknown = [...$unknown];
        for (let times = 0; times < 2; times += 1) {
          const json = reserveEncoder.json(answer);
          if (json !== undefined) {
            own += 1;
            expect(json).toBe(toJsonString(ReserveResponseSchema, answer));
          }
          expect(Buffer.from(reserveEncoder.binary(answer) ?? [])).toEqual(Buffer.from(toBinary(ReserveResponseSchema, answer)));
        }
      }),
      { numRuns: 3000 },
    );
    expect(own).toBeGreaterThan(1000);
  });

  it("writes what reads as what it was given", () => {
    fc.assert(
      fc.property(reservation, site, (held, at) => {
        const answer = create(ReserveResponseSchema, { reservation: held, site: at, distanceM: 12.5 });
        expect(equals(ReserveResponseSchema, fromBinary(ReserveResponseSchema, reserveEncoder.binary(answer) as Uint8Array), answer)).toBe(
          true,
        );
        expect(equals(ReserveResponseSchema, fromJsonString(ReserveResponseSchema, reserveEncoder.json(answer) ?? ""), answer)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("writes the plainest answer by itself, and leaves to the library what it does not know", () => {
    const plain = create(ReserveResponseSchema, { reservation: { reservationId: "res_83652b_8xk2m4p9q7w3t5z1" } });
    expect(reserveEncoder.json(plain)).toBe('{"reservation":{"reservationId":"res_83652b_8xk2m4p9q7w3t5z1"}}');
    expect(reserveEncoder.json({ ...plain, $unknown: [{ no: 1999, wireType: WireType.Varint, data: Uint8Array.of(1) }] })).toBeUndefined();
    expect(reserveEncoder.json({ ...plain, distanceM: Number.NaN })).toBeUndefined();
    expect(reserveEncoder.json(create(ReserveResponseSchema))).toBeUndefined();
  });
});

import { createHash } from "node:crypto";
import { create, type DescMessage, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { CancelRequestSchema, ConfirmRequestSchema, ParcelRequirement, ReserveRequestSchema } from "@petak/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fingerprintOf } from "./fingerprint.ts";

/** The definition. It must not change, because gateways of several versions share stored fingerprints. */
function defined<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Buffer {
  return createHash("sha256").update(schema.typeName).update(toBinary(schema, message)).digest().subarray(0, 16);
}

const unknown = fc.constantFrom(undefined, 1, 2).map((byte) => byte && [{ no: 1999, wireType: 0, data: Uint8Array.of(byte) }]);
const text = fc.string({ unit: "grapheme", maxLength: 200 });
const request = fc
  .record({
    requestId: text,
    isNamed: fc.boolean(),
    latitude: fc.double(),
    widthMm: fc.nat(),
    requirements: fc.array(fc.constantFrom(ParcelRequirement.AGE_CHECK, ParcelRequirement.NO_LOCKER)),
    partnerReference: text,
    seconds: fc.bigInt({ min: -100n, max: 100_000n }),
    unknown,
    unknownInParcel: unknown,
  })
  .map((facts) => {
    const { requestId, partnerReference, widthMm, requirements, latitude } = facts;
    const place: MessageInitShape<typeof ReserveRequestSchema>["place"] = facts.isNamed
      ? { case: "siteId", value: requestId }
      : { case: "nearest", value: { origin: { latitude } } };
    const holdDuration = { seconds: facts.seconds };
    const made = create(ReserveRequestSchema, { requestId, partnerReference, place, parcel: { widthMm, requirements }, holdDuration });
    if (facts.unknown !== undefined) made.$unknown = facts.unknown;
    if (facts.unknownInParcel !== undefined && made.parcel !== undefined) made.parcel.$unknown = facts.unknownInParcel;
    return made;
  });

describe("a fingerprint", () => {
  it("is the hash of the type's name and the library's encoding, including unknown fields", () => {
    fc.assert(
      fc.property(request, (message) => {
        expect(fingerprintOf(ReserveRequestSchema, message)).toEqual(defined(ReserveRequestSchema, message));
      }),
      { numRuns: 2000 },
    );
  });

  it("differs for equal bodies of two types", () => {
    const [confirm, cancel] = [
      { requestId: "a", reservationId: "b" },
      { requestId: "a", reservationId: "b" },
    ];
    const ofConfirm = fingerprintOf(ConfirmRequestSchema, create(ConfirmRequestSchema, confirm));
    const ofCancel = fingerprintOf(CancelRequestSchema, create(CancelRequestSchema, cancel));
    expect(ofConfirm).not.toEqual(ofCancel);
    expect(ofCancel).toEqual(defined(CancelRequestSchema, create(CancelRequestSchema, cancel)));
  });
});

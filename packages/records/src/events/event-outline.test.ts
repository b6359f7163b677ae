import { create } from "@bufbuild/protobuf";
import { TimestampSchema, timestampMs } from "@bufbuild/protobuf/wkt";
import { EventSchema, PartyKind } from "@petak/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeEvent, encodeEvent } from "../encoding/event-bytes.ts";
import { testSiteIds } from "../testing/test-ids.ts";
import { outlineOf } from "./event-outline.ts";

const time = fc.option(
  fc.record({ seconds: fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }), nanos: fc.integer({ min: 0, max: 999_999_999 }) }),
  { nil: undefined },
);

/** Any event, with the fields of the outline and others. */
const anyEvent = fc.record({
  eventId: fc.string(),
  reservationId: fc.constantFrom("", "res_83652b_0123456789abcdef"),
  participantId: fc.string({ unit: "grapheme", maxLength: 40 }),
  operatorId: fc.string({ maxLength: 40 }),
  isTest: fc.boolean(),
  occurredAt: time,
  recordedAt: time,
  kind: fc.constantFrom(PartyKind.PARTICIPANT, PartyKind.AGENT),
  sequence: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  unknown: fc.uint8Array({ maxLength: 20 }),
});

describe("the outline of an event", () => {
  it("equals the fields of the decoded event", () => {
    fc.assert(
      fc.property(anyEvent, ({ kind, sequence, unknown, occurredAt, recordedAt, ...rest }) => {
        const event = create(EventSchema, {
          ...rest,
          actor: { kind, participantId: rest.participantId },
          proof: { deviceSequence: sequence },
          ...(occurredAt && { occurredAt: create(TimestampSchema, occurredAt) }),
          ...(recordedAt && { recordedAt: create(TimestampSchema, recordedAt) }),
          // A field of a newer gateway.
          $unknown: [{ no: 4000, wireType: 2, data: Uint8Array.of(unknown.length, ...unknown) }],
        });
        const bytes = encodeEvent(event, testSiteIds);
        const read = decodeEvent(bytes, testSiteIds);
        expect(outlineOf(bytes)).toEqual({
          participantId: read.participantId,
          operatorId: read.operatorId,
          isTest: read.isTest,
          recordedMs: read.recordedAt === undefined ? 0 : timestampMs(read.recordedAt),
        });
      }),
      { numRuns: 2000 },
    );
  });

  it("cannot be read from bytes that are no message or a part of one", () => {
    const bytes = encodeEvent(
      create(EventSchema, { participantId: "par_a", operatorId: "par_b", proof: { credentialHash: "c".repeat(43) } }),
      testSiteIds,
    );
    expect(() => outlineOf(Buffer.from([0xff]))).toThrow();
    expect(() => outlineOf(bytes.subarray(0, -1))).toThrow();
  });
});

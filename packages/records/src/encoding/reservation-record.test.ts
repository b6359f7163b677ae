import { create, type DescField, type DescMessage, isFieldSet, type MessageShape, ScalarType } from "@bufbuild/protobuf";
import { durationFromMs, TimestampSchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  ChainHeadSchema,
  DelegationSchema,
  formatSiteId,
  HoldKind,
  MoneySchema,
  OverflowFallback,
  OverflowPolicySchema,
  ParcelRequirement,
  ParcelSchema,
  PartyKind,
  PartySchema,
  Purpose,
  ReservationSchema,
  ReservationState,
  RevokedCredentialSchema,
  SiteChangeKind,
  SiteChangeSchema,
  SiteRequirementsSchema,
  siteNumberMax,
  validateMessage,
} from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { testSiteIds } from "../testing/test-ids.ts";
import { decodeChain, decodeReservation, encodeReservation, reservationMaxBytes } from "./reservation-record.ts";
import type { ShortIds } from "./short-ids.ts";

const region = "83652b";
const handle = "0123456789abcdef";
const reservationId = `res_${region}_${handle}`;

/** The numbers of terms, as in a store. */
const termsId = "terms_5t8yq2m4p9w7z3x1";
const ids: ShortIds = {
  siteIds: testSiteIds,
  terms: { numberOf: (id) => (id === termsId ? 2 ** 32 - 1 : 0), idOf: (number) => (number === 0 ? "" : termsId) },
};
const otherStoresSite = formatSiteId("836520", "an0therst0", siteNumberMax);

/** A value of a field that differs from its default. */
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
      if (field.localName === "queuedSiteIds") return [1, 2].map((number) => testSiteIds.format(region, number));
      if (field.listKind === "scalar") return ["text", `text ${field.number}`];
      return [create(field.message ?? ReservationSchema, { credentialHash: "hash" })];
    default:
      if (field.scalar === ScalarType.BOOL) return true;
      if (field.localName === "termsId") return termsId;
      return field.scalar === ScalarType.STRING ? `text ${field.number}` : 7;
  }
}

describe("a reservation's record", () => {
  it.each(ReservationSchema.fields.map((field) => [field.localName, field] as const))("preserves %s", async (_name, field) => {
    const updatedAt = timestampFromMs(1_790_000_000_000);
    const reservation = create(ReservationSchema, { revision: 1, updatedAt, holdKind: HoldKind.SOFT, [field.localName]: someValue(field) });
    reservation.reservationId = reservationId;
    expect(await decodeReservation(region, handle, await encodeReservation(reservation, ids), ids)).toEqual(reservation);
  });

  it("preserves the parties, although it names the participant once", async () => {
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
      expect(await decodeReservation(region, handle, await encodeReservation(reservation, ids), ids)).toEqual(reservation);
    }
  });

  it.each([
    ["of its region", testSiteIds.format(region, 4711)],
    ["of another region", testSiteIds.format("836520", 4711)],
    ["of another store", formatSiteId(region, "an0therst0", 4711)],
    ["that is empty", ""],
  ])("keeps a site %s", async (_which, siteId) => {
    const sites = { siteId, wantedSiteId: siteId, queuedSiteIds: [siteId] };
    const reservation = create(ReservationSchema, { reservationId, ...sites, participantId: "par_a", holdKind: HoldKind.SOFT });
    expect(await decodeReservation(region, handle, await encodeReservation(reservation, ids), ids)).toEqual(reservation);
  });

  it("has room for the longest reservation that callers and transitions can make, in any alphabet", async () => {
    /** A text with the most characters and bytes that a rule allows. */
    const widest = (length: number, isAllowed: (text: string) => boolean) =>
      ["\u{1f4e6}", "\u0e01", "\u00e9", "x"].map((letter) => letter.repeat(length)).find(isAllowed) ?? "";
    const isValid = <Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>) => {
      try {
        return validateMessage(schema, message) === undefined;
      } catch {
        return false;
      }
    };
    const operatorId = widest(38, (id) => isValid(OverflowPolicySchema, create(OverflowPolicySchema, { operatorIds: [`${id}00`] })));
    const overflowPolicy = create(OverflowPolicySchema, {
      maxDistanceM: 50_000,
      operatorIds: Array.from({ length: 20 }, (_, index) => `${operatorId}${index + 10}`),
      wait: durationFromMs(604_800_000),
      fallback: OverflowFallback.ASK_CONSUMER,
    });
    const time = timestampFromMs(1_790_000_000_999);
    const times = ReservationSchema.fields.filter(({ message }) => message === TimestampSchema);
    const hash = "h".repeat(43);
    const other = "par_w8ase5n2ehjkbmbe";
    const labels = (letter: string) => Array.from({ length: 3 }, (_, index) => `${letter.repeat(63)}${index}`);
    const reservation = create(ReservationSchema, {
      reservationId,
      siteId: otherStoresSite,
      operatorId: other,
      participantId: "par_0123456789abcdef",
      state: ReservationState.CANCELLED,
      purpose: Purpose.FIRST_MILE,
      sizeClassId: "x".repeat(16),
      parcel: create(ParcelSchema, {
        widthMm: 10_000,
        heightMm: 10_000,
        depthMm: 10_000,
        massG: 4_000_000_000,
        requirements: Object.values(ParcelRequirement),
        labelCodes: labels("a"),
        cashDue: { currencyCode: "SGD", units: 2n ** 62n, nanos: 999_999_999 },
      }),
      depositor: create(PartySchema, { kind: PartyKind.PARTICIPANT, participantId: other }),
      collector: create(PartySchema, { kind: PartyKind.PARTICIPANT, participantId: other }),
      partnerReference: "\u{1f4e6}".repeat(64),
      isTest: true,
      revision: 2 ** 32 - 1,
      ...Object.fromEntries(times.map(({ localName }) => [localName, time])),
      updatedAt: timestampFromMs(1_790_000_001_999),
      compartmentId: "\u{1f4e6}".repeat(16),
      heldCompartmentId: "x".repeat(16),
      holdKind: HoldKind.HARD,
      redirectedTo: reservationId,
      redirectedFrom: reservationId,
      overflowPolicy,
      wantedSiteId: otherStoresSite,
      overflowFallback: OverflowFallback.ASK_CONSUMER,
      siteRevision: 2 ** 32 - 1,
      siteChange: create(SiteChangeSchema, {
        siteId: otherStoresSite,
        number: 2 ** 32 - 1,
        kinds: Object.values(SiteChangeKind).filter((kind) => kind !== SiteChangeKind.UNSPECIFIED),
        movedM: 20_100_000,
        canBeKept: true,
        siteRevision: 2 ** 32 - 1,
        cancelled: true,
        lacksPlace: true,
      }),
      requirements: create(SiteRequirementsSchema, {
        openAt: time,
        openWithin: { from: time, to: time, atLeast: { seconds: 2_678_399n, nanos: 999_999_999 } },
        stepFree: true,
        cardPayment: true,
        refrigerated: true,
        minCentreHeightMm: 5000,
        maxCentreHeightMm: 5000,
        accessible: true,
      }),
      queuePosition: 1000,
      queuedSiteIds: Array.from({ length: 8 }, () => otherStoresSite),
      termsId,
      feeDue: create(MoneySchema, { currencyCode: "SGD", units: 2n ** 62n, nanos: 999_999_999 }),
      bundleId: `bdl_${region}_${handle}`,
      delegations: Array.from({ length: 10 }, () =>
        create(DelegationSchema, { credentialHash: hash, parentCredentialHash: hash, delegatedAt: time, expiresAt: time, revokedAt: time }),
      ),
      revokedCredentials: Array.from({ length: 10 }, () => create(RevokedCredentialSchema, { credentialHash: hash, revokedAt: time })),
      chain: create(ChainHeadSchema, { length: 2 ** 31, lastHash: hash }),
      labelCodes: labels("b"),
    });
    expect(ReservationSchema.fields.filter((field) => !isFieldSet(reservation, field)).map(({ localName }) => localName)).toEqual([]);
    expect((await encodeReservation(reservation, ids)).length).toBeLessThan(reservationMaxBytes);
  });

  it("does not name its region, which its key names, nor its store, nor its terms by their id", async () => {
    const sites = { siteId: testSiteIds.format(region, 4711), wantedSiteId: testSiteIds.format(region, 1) };
    const stored = await encodeReservation(create(ReservationSchema, { reservationId, ...sites, termsId, participantId: "par_a" }), ids);
    for (const left of [region, testSiteIds.storeCode, "site_", "terms_"]) expect(stored.includes(left)).toBe(false);
  });

  it("takes no byte for a soft hold, and decodes a missing kind as soft", async () => {
    const reservation = create(ReservationSchema, { reservationId, participantId: "par_a", revision: 1, holdKind: HoldKind.SOFT });
    const stored = await encodeReservation(reservation, ids);
    expect(stored).toEqual(await encodeReservation({ ...reservation, holdKind: HoldKind.UNSPECIFIED }, ids));
    expect((await decodeReservation(region, handle, stored, ids)).holdKind).toBe(HoldKind.SOFT);
    expect(reservation.holdKind).toBe(HoldKind.SOFT);
  });

  it("ends with its chain", async () => {
    const entries = Buffer.alloc(20);
    entries.writeUIntLE(1_790_000_000_000, 0, 6);
    entries.writeUIntLE(1_790_000_000_001, 10, 6);
    entries.writeUInt32LE(3, 16);
    const record = await encodeReservation(create(ReservationSchema, { reservationId, participantId: "par_a", revision: 1 }), ids);
    expect(decodeChain(record)).toEqual([]);
    expect(decodeChain(Buffer.concat([record, entries]))).toEqual(["1790000000000-0", "1790000000001-3"]);
  });
});

import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  DeviceEventSchema,
  type DeviceEventType,
  type DoubtReason,
  formatReservationId,
  formatSiteId,
  HoldKind,
  Purpose,
  type Reservation,
  ReserveRequestSchema,
  SiteLifecycle,
  TermsSchema,
} from "@petak/protocol";
import { applyReport } from "../device-report.ts";
import { participantParty } from "../parties.ts";
import { queuedReservation, waitUntil } from "../queue.ts";
import { heldReservation } from "../reserve.ts";
import { type FullTerms, gatewayTerms, termsInForce } from "../terms.ts";
import type { Transition } from "../transition.ts";

export const minuteMs = 60_000;
export const dayMs = 86_400_000;
export const startMs = 1_800_000_000_000;
export const holdMaxMs = dayMs;
const region = "836520";
const euro = (units: number) => ({ currencyCode: "EUR", units: BigInt(units), nanos: 0 });

/** The owner of the tests' reservations, and the operator of their sites. */
export const courier = { participantId: "par_0000000000000001", mode: "test" } as const;
export const operator = { participantId: "par_0000000000000002", mode: "test" } as const;
export const courierParty = participantParty(courier);
export const operatorParty = participantParty(operator);
export const agent = { participantId: operator.participantId, keyId: "key_test_1" };

/** Terms with a fee for everything. */
export const terms: FullTerms = termsInForce(
  gatewayTerms({ collectWithinMs: 3 * dayMs, storageMaxMs: 14 * dayMs }),
  create(TermsSchema, {
    extensionPricePerDay: euro(1),
    lateChangeFee: euro(2),
    noShowFee: euro(3),
    freeChangeBeforeDeposit: durationFromMs(dayMs),
  }),
);

/** The site of the tests' reservations, in service. */
export const site = { siteId: formatSiteId(region, "k3v9c0x2md", 1), lifecycle: SiteLifecycle.ACTIVE, draining: false };

/** A new held reservation. */
export function held(atMs = startMs, holdKind: HoldKind = HoldKind.SOFT): Reservation {
  const request = create(ReserveRequestSchema, { purpose: Purpose.DELIVERY, holdKind, partnerReference: "order-7" });
  return {
    ...heldReservation(request, { participantId: courier.participantId, isTest: true, holdMs: 15 * minuteMs }, atMs),
    ...idAndSite(),
    sizeClassId: "M",
    heldCompartmentId: holdKind === HoldKind.HARD ? "M0" : "",
    termsId: "terms_0000000000000001",
  };
}

/** A new queued reservation, which waits for an hour. */
export function queued(atMs = startMs): Reservation {
  const { sizeClassId: _sizeClassId, ...rest } = held(atMs);
  const { siteId } = idAndSite();
  const until = waitUntil({ seconds: 3600n, nanos: 0 }, atMs);
  const since = { queuedSince: timestampFromMs(atMs), queuedSiteIds: [siteId] };
  return { ...queuedReservation({ ...rest, sizeClassId: "" }, until), ...since };
}

function idAndSite() {
  return {
    reservationId: formatReservationId(region, "0000000000000001"),
    siteId: site.siteId,
    operatorId: operator.participantId,
  };
}

/** Applies a device's report about the door `M0`. @param unproven why it is not believed. Default: it is */
export function report(before: Reservation, type: DeviceEventType, atMs: number, occurredAtMs = atMs, unproven?: DoubtReason): Transition {
  const event = create(DeviceEventSchema, {
    type,
    reservationId: before.reservationId,
    compartmentId: "M0",
    occurredAt: timestampFromMs(occurredAtMs),
    sequence: 1n,
  });
  return applyReport(before, { event, terms, agent, unproven, parentCredentialHash: "" }, atMs);
}

import { create } from "@bufbuild/protobuf";
import { Act, AllowanceSchema, newReservationId, ProofKind, ReservationState, SiteLifecycle } from "@petak/protocol";
import fc from "fast-check";
import { expect, it } from "vitest";
import { noLockOut } from "./lock-out.ts";
import { chooseForService } from "./service-rules.ts";
import type { DoorSnapshot } from "./snapshot.ts";

const reservationIds = [newReservationId("83652b"), newReservationId("83652b")];

const compartment = fc.record({
  sizeClassId: fc.constant("S"),
  condition: fc.constantFrom("OK" as const, "IN_DOUBT" as const, "LOCK_FAILED" as const),
  reservationId: fc.constantFrom("", ...reservationIds),
  door: fc.constantFrom("OPEN" as const, "CLOSED" as const, "UNKNOWN" as const),
  occupancy: fc.constantFrom("OCCUPIED" as const, "EMPTY" as const, "UNKNOWN" as const),
  /** Whose parcel the gateway says lies there. */
  told: fc.constantFrom("", "", ...reservationIds),
  isVisited: fc.boolean(),
});

type Place = typeof compartment extends fc.Arbitrary<infer Value> ? Value & { compartmentId: string } : never;

function expectedOf(places: readonly Place[], wanted: number, allowed: number | null): unknown {
  const place = places[wanted];
  if (place === undefined || (allowed !== null && allowed !== wanted)) return "COMPARTMENT";
  if (place.isVisited) return "IN_USE";
  // What the agent saw goes before what it was told: a parcel lies in one place.
  const liesElsewhere = places.some(({ reservationId }) => reservationId !== "" && reservationId === place.told);
  const reservationId = place.reservationId === "" && !liesElsewhere ? place.told : place.reservationId;
  const isBare = reservationId === "" && place.occupancy !== "OCCUPIED" && place.condition !== "IN_DOUBT";
  return allowed === null && !isBare ? "OCCUPIED" : { compartmentId: place.compartmentId, reservationId };
}

it("opens no door behind which a parcel may lie unless the operator named it, and none that somebody has just opened", () => {
  fc.assert(
    fc.property(fc.array(compartment, { maxLength: 4 }), fc.nat(4), fc.option(fc.nat(4)), (places, wanted, allowed) => {
      const named = places.map((place, index) => ({ ...place, compartmentId: `A${index}` }));
      const snapshot: DoorSnapshot = {
        hasEnded: () => false,
        siteId: "site_83652b_k3v9c0x2md00004k",
        service: { lifecycle: SiteLifecycle.ACTIVE, draining: false },
        sizeClassIds: ["S"],
        trustBundle: undefined,
        pinKey: undefined,
        allowances: named.flatMap(({ compartmentId, told: reservationId }) =>
          reservationId === ""
            ? []
            : create(AllowanceSchema, { reservationId, compartmentId, act: Act.COLLECT, state: ReservationState.DEPOSITED }),
        ),
        bundles: [],
        revokedServiceHashes: [],
        outOfService: new Set<string>(),
        isSpent: () => false,
        toCollect: () => [],
        challengeAgeMs: () => undefined,
        visits: named
          .filter(({ isVisited }) => isVisited)
          .map(({ compartmentId }) => ({
            compartmentId,
            credentialId: "another",
            proofKind: ProofKind.PIN,
            act: Act.COLLECT,
            reservationId: "",
            bundleId: "",
            isDelegated: false,
            phase: "CLOSED",
            reopenings: 0,
            graceUntilMs: 1,
          })),
        compartments: named,
        lockOut: noLockOut,
        clockTrusted: true,
        maxSkewMs: 0,
      };
      const right = { allowedId: allowed === null ? "" : `A${allowed}`, compartmentId: `A${wanted}` };
      expect(chooseForService(right, snapshot)).toEqual(expectedOf(named, wanted, allowed));
    }),
    { numRuns: 2000 },
  );
});

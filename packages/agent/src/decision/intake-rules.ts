import { IntakeReason } from "@petak/protocol";
import type { CompartmentRecord } from "./snapshot.ts";

/** What the people of a site want it to take in. Of a size class that is not named, all places are in service. */
export interface WantedIntake {
  /** Whether the site takes no new reservations. Those that it has are still accepted. */
  readonly paused: boolean;
  /** When the pause ends by itself, in ms since 1970. Undefined: when somebody says so. */
  readonly pausedUntilMs?: number | undefined;
  /** The places that can be used, with those where a parcel is, by size class: from 0 to 1000. */
  readonly inService: ReadonlyMap<string, number>;
}

/** What a site takes in, and why it is less than everything. */
export interface Intake extends WantedIntake {
  readonly reason: IntakeReason;
}

/** What an intake follows from. */
export interface IntakeFacts {
  readonly wanted: WantedIntake;
  /** The compartments that a command took out of service; an empty id stands for the whole site. */
  readonly outOfService: ReadonlySet<string>;
  readonly compartments: readonly (CompartmentRecord & { readonly sizeClassId: string })[];
}

/** What a site takes in at a time. A compartment with a parcel inside counts as in service until the parcel is gone, as the gateway counts it as occupied. Pure. */
export function intakeAt({ wanted, outOfService, compartments }: IntakeFacts, nowMs: number): Intake {
  const isSiteOut = outOfService.has("");
  const isPausedByWish = wanted.paused && (wanted.pausedUntilMs === undefined || nowMs < wanted.pausedUntilMs);
  const empty = compartments.filter(({ reservationId }) => reservationId === "");
  const out = empty.filter(({ compartmentId }) => isSiteOut || outOfService.has(compartmentId));
  const failed = empty.filter((compartment) => compartment.condition !== "OK" && !out.includes(compartment));
  const inService = new Map(wanted.inService);
  for (const [sizeClassId, unusable] of Map.groupBy([...out, ...failed], (compartment) => compartment.sizeClassId)) {
    const usable = compartments.filter((compartment) => compartment.sizeClassId === sizeClassId).length - unusable.length;
    inService.set(sizeClassId, Math.min(usable, inService.get(sizeClassId) ?? usable));
  }
  return {
    paused: isSiteOut || isPausedByWish,
    ...(isPausedByWish && !isSiteOut && { pausedUntilMs: wanted.pausedUntilMs }),
    inService,
    reason: reasonOf({
      isByCommand: isSiteOut || out.length > 0,
      isFailed: failed.length > 0,
      isPausedByWish,
      isLimited: wanted.inService.size > 0,
    }),
  };
}

/** The first that applies. */
function reasonOf(why: { isByCommand: boolean; isFailed: boolean; isPausedByWish: boolean; isLimited: boolean }): IntakeReason {
  if (why.isByCommand) return IntakeReason.COMMAND;
  if (why.isFailed) return IntakeReason.LOCK_FAILED;
  if (why.isPausedByWish) return IntakeReason.CLERK;
  return why.isLimited ? IntakeReason.CAPACITY : IntakeReason.UNSPECIFIED;
}

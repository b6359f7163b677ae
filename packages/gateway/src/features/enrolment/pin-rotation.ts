import { participantParty, pinEnded } from "@petak/lifecycle";
import { parseBundleId } from "@petak/protocol";
import { endedSite, type Records } from "@petak/records";
import { isStoreFailure } from "@petak/redis";
import { changedTooOften, type ReservationChanges } from "../idempotency/change-reservation.ts";
import { retryOnConflict } from "../idempotency/retry-on-conflict.ts";

export interface PinRotationDependencies {
  records: Pick<Records, "sites" | "reservations" | "bundles" | "pinKeys">;
  changes: Pick<ReservationChanges, "apply">;
  now: () => number;
}

/** An operator's site. */
export interface RotatedSite {
  siteId: string;
  /** Its operator. */
  participantId: string;
}

/** Changes the keys for the PINs of sites. */
export interface PinRotation {
  /**
   * Ends all PINs of a site with the key under which they are hashed, once for each cause, and tells whoever gave them out. Returns how many have ended. A
   * repetition tells those who have not been told yet.
   *
   * @param cause what a repetition has in common with the first
   */
  rotate(site: RotatedSite, cause: string): Promise<number>;
  /** Tells those who have not been told, because a call was cut off. */
  tellRest(site: RotatedSite): Promise<void>;
}

/** Makes the rotation of PINs. Who is being told when a gateway dies may be told again. */
export function createPinRotation({ records, changes, now }: PinRotationDependencies): PinRotation {
  const { sites, reservations, bundles, pinKeys } = records;

  /** Tells some. Returns whether there were any. */
  async function tellSome(site: RotatedSite): Promise<boolean> {
    const subjects = await pinKeys.toTell(site.siteId);
    await Promise.all(
      subjects.map(async (subjectId) => {
        const bundle = parseBundleId(subjectId) === undefined ? undefined : await bundles.find(subjectId);
        const bundleId = bundle?.bundleId ?? "";
        for (const reservationId of bundle?.reservationIds ?? [subjectId]) await tell(site, reservationId, bundleId);
        await pinKeys.told(site.siteId, subjectId);
      }),
    );
    return subjects.length > 0;
  }

  async function tell(site: RotatedSite, reservationId: string, bundleId: string): Promise<void> {
    await retryOnConflict(
      async () => {
        const before = await reservations.find(reservationId);
        const transition = before && pinEnded(before, { actor: participantParty(site), bundleId }, now());
        if (transition === undefined) return "told";
        const filed = (await sites.filed(site.siteId)) ?? endedSite(site.siteId);
        const outcome = await changes.apply({ ...transition, site: filed });
        return outcome.tag === "done" ? "told" : undefined;
      },
      { conflict: () => changedTooOften(reservationId) },
    );
  }

  return {
    async rotate(site, cause) {
      // A key of a site that has ended opens nothing.
      if ((await sites.find(site.siteId)) === undefined) return 0;
      const ended = await pinKeys.raise(site.siteId, cause);
      while (await tellSome(site));
      return ended;
    },
    async tellRest(site) {
      try {
        while (await tellSome(site));
      } catch (error) {
        // A store that rejects writes must not keep an agent from reading. Its next call tells.
        if (!isStoreFailure(error)) throw error;
      }
    },
  };
}

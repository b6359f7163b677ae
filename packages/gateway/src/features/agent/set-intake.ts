import { type DeviceEvent, PetakError, type SiteIntake } from "@petak/protocol";
import type { SiteStore } from "@petak/records";
import type { AgentCaller } from "../../identity/index.ts";
import type { Logger } from "../../observability/index.ts";

export interface SetIntakeDependencies {
  sites: Pick<SiteStore, "setIntake">;
  logger: Logger;
  now: () => number;
}

/**
 * Applies what a device reported of its site's intake. Safe to repeat. A site that cannot be offered again, since its operator has used what it may there, stays as it
 * was: the report is recorded all the same, and the device reports again at its next Boot.
 */
export async function setIntake(
  { sites, logger, now }: SetIntakeDependencies,
  { intake }: Pick<DeviceEvent, "intake">,
  { siteId }: AgentCaller,
): Promise<void> {
  const reported = intake === undefined || takesAll(intake) ? undefined : intake;
  try {
    await sites.setIntake(siteId, () => reported, now());
  } catch (error) {
    if (!(error instanceof PetakError) || error.reason !== "QUOTA_EXHAUSTED") throw error;
    logger.warn({ err: error, siteId }, "a site whose intake is resumed cannot be offered");
  }
}

function takesAll({ paused, places }: SiteIntake): boolean {
  return !paused && places.length === 0;
}

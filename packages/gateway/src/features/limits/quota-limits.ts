import { LimitKind } from "@petak/protocol";
import type { QuotaUsage } from "@petak/records";
import { callLimit, type LimitSource, usedLimit } from "../participant/limit-source.ts";

/** The limits of what a participant makes and keeps. */
export function quotaLimits(usage: QuotaUsage): LimitSource {
  const { quotas } = usage;
  return async ({ participantId, mode, region }) => {
    const [own, agents, publishable, sites, terms, there] = await Promise.all([
      usage.keys("own", mode, participantId),
      usage.keys("agent", mode, participantId),
      usage.keys("publishable", mode, participantId),
      usage.sites(mode, participantId),
      usage.terms(mode, participantId),
      region === undefined ? undefined : usage.inRegion(region, mode, participantId),
    ]);
    const limits = [
      usedLimit(LimitKind.KEYS, quotas.keysMax, own),
      usedLimit(LimitKind.AGENT_KEYS, quotas.agentKeysMax, agents),
      usedLimit(LimitKind.PUBLISHABLE_KEYS, quotas.publishableKeysMax, publishable),
      usedLimit(LimitKind.SITES, quotas.sitesMax, sites),
      callLimit(LimitKind.SITES_IN_CELL, quotas.cellSitesMax),
      usedLimit(LimitKind.TERMS, quotas.termsMax, terms),
      callLimit(LimitKind.RESERVATION_EVENTS, quotas.reservationEventsMax),
    ];
    if (region === undefined || there === undefined) return limits;
    return [
      ...limits,
      usedLimit(LimitKind.SIZE_PROFILES_IN_REGION, quotas.sizeProfilesMax, there.sizeProfiles, { region }),
      usedLimit(LimitKind.OPENING_TIMES_IN_REGION, quotas.openingTimesMax, there.openingTimes, { region }),
    ];
  };
}

import { LimitKind } from "@petak/protocol";
import type { Queues } from "@petak/records";
import { type LimitSource, usedLimit } from "../participant/limit-source.ts";

/** Limits on queued reservations, in the region and at the site that are asked for. */
export function queueLimits(queues: Pick<Queues, "limits" | "usage">): LimitSource {
  const { siteMax, shareMax, regionShareMax } = queues.limits;
  return async ({ participantId, mode, region, siteId }) => {
    if (region === undefined) return [];
    const used = await queues.usage({ participantId, isTest: mode === "test" }, region, siteId);
    const inRegion = usedLimit(LimitKind.QUEUED_IN_REGION, regionShareMax, used.ofParticipant, { region });
    if (siteId === undefined || used.atSite === undefined) return [inRegion];
    return [
      usedLimit(LimitKind.QUEUED_AT_SITE, shareMax, used.atSite.ofParticipant, { siteId }),
      usedLimit(LimitKind.QUEUE_OF_SITE, siteMax, used.atSite.ofAll, { siteId }),
      inRegion,
    ];
  };
}

import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { PetakError } from "@petak/protocol";
import { ListSandboxSitesResponseSchema, type SandboxService, VisitSandboxSiteResponseSchema } from "@petak/protocol/sandbox";
import { type CallerContext, requireParticipant } from "../../identity/index.ts";
import type { Sandbox } from "./sandbox.ts";

/** Opening the sites takes a second or two. */
const notReadyRetryMs = 1000;

/**
 * Visits to one site that wait or go on at most, and those of one participant, so that nobody keeps a site from others; one takes some hundredths of a second, or
 * half a second if it is refused.
 */
const [visitsMax, visitsOfEachMax] = [16, 4];

const busyRetryMs = 2000;

/** Creates the service of the sandbox. @param sandbox undefined while it is starting */
export function createSandboxService(sandbox: () => Sandbox | undefined): ServiceImpl<typeof SandboxService> {
  /** Who visits each site. */
  const visits = new Map<string, readonly string[]>();

  function open(context: CallerContext): Sandbox & { participantId: string } {
    const { mode, participantId } = requireParticipant(context);
    if (mode !== "test") throw new PetakError("MODE_MISMATCH", "the sandbox is in the test network; use a test key");
    const ready = sandbox();
    if (ready !== undefined) return { ...ready, participantId };
    throw new PetakError("SANDBOX_NOT_READY", "the sandbox is still starting; send the same request again", {
      retryAfterMs: notReadyRetryMs,
    });
  }

  return {
    listSandboxSites: (_request, context) => create(ListSandboxSitesResponseSchema, { sites: [...open(context).sites] }),
    async visitSandboxSite({ siteId, credential }, context) {
      const { sites, visit, participantId } = open(context);
      if (!sites.some((site) => site.siteId === siteId)) throw notOfSandbox(siteId);
      const present = visits.get(siteId) ?? [];
      if (present.filter((visitor) => visitor === participantId).length >= visitsOfEachMax)
        throw siteBusy(siteId, "of yours ", visitsOfEachMax);
      if (present.length >= visitsMax) throw siteBusy(siteId, "", visitsMax);
      visits.set(siteId, [...present, participantId]);
      try {
        const shown = credential.case === "pin" ? { pin: credential.value } : { token: credential.value ?? "" };
        return create(VisitSandboxSiteResponseSchema, await visit(siteId, shown));
      } finally {
        const left = visits.get(siteId) ?? [];
        visits.set(siteId, left.toSpliced(left.indexOf(participantId), 1));
      }
    },
  };
}

function notOfSandbox(siteId: string): PetakError {
  return new PetakError("SITE_NOT_FOUND", `site ${siteId} is none of the sandbox's; ListSandboxSites has those`, {
    metadata: { site_id: siteId },
  });
}

function siteBusy(siteId: string, whose: string, limit: number): PetakError {
  return new PetakError("SANDBOX_SITE_BUSY", `${limit} visits ${whose}to site ${siteId} are in progress; send the same request again`, {
    metadata: { site_id: siteId, limit: String(limit) },
    retryAfterMs: busyRetryMs,
  });
}

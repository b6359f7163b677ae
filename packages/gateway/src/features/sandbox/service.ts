import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { PetakError } from "@petak/protocol";
import { ListSandboxSitesResponseSchema, type SandboxService, VisitSandboxSiteResponseSchema } from "@petak/protocol/sandbox";
import { siteNotFound } from "@petak/records";
import { type CallerContext, requireParticipant } from "../../identity/index.ts";
import type { Sandbox } from "./sandbox.ts";

/** Opening the sites takes a second or two. */
const notReadyRetryMs = 1000;

/** Visits to one site that wait or go on at most; one takes some hundredths of a second, or half a second if it is refused. */
const visitsMax = 16;

const busyRetryMs = 2000;

/** Creates the service of the sandbox. @param sandbox undefined while it is starting */
export function createSandboxService(sandbox: () => Sandbox | undefined): ServiceImpl<typeof SandboxService> {
  const visits = new Map<string, number>();

  function open(context: CallerContext): Sandbox {
    if (requireParticipant(context).mode !== "test") {
      throw new PetakError("MODE_MISMATCH", "the sandbox is in the test network; use a test key");
    }
    const ready = sandbox();
    if (ready !== undefined) return ready;
    throw new PetakError("SANDBOX_NOT_READY", "the sandbox is still starting; send the same request again", {
      retryAfterMs: notReadyRetryMs,
    });
  }

  return {
    listSandboxSites: (_request, context) => create(ListSandboxSitesResponseSchema, { sites: [...open(context).sites] }),
    async visitSandboxSite({ siteId, credential }, context) {
      const { sites, visit } = open(context);
      if (!sites.some((site) => site.siteId === siteId)) throw siteNotFound(siteId);
      const before = visits.get(siteId) ?? 0;
      if (before >= visitsMax) throw siteBusy(siteId);
      visits.set(siteId, before + 1);
      try {
        const shown = credential.case === "pin" ? { pin: credential.value } : { token: credential.value ?? "" };
        return create(VisitSandboxSiteResponseSchema, await visit(siteId, shown));
      } finally {
        visits.set(siteId, (visits.get(siteId) ?? 1) - 1);
      }
    },
  };
}

function siteBusy(siteId: string): PetakError {
  return new PetakError("SANDBOX_SITE_BUSY", `${visitsMax} visits to site ${siteId} are in progress; send the same request again`, {
    metadata: { site_id: siteId, limit: String(visitsMax) },
    retryAfterMs: busyRetryMs,
  });
}

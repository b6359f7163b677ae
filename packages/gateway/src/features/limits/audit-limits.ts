import { LimitKind } from "@petak/protocol";
import type { AuditLog } from "@petak/records";
import { type LimitSource, usedLimit } from "../participant/limit-source.ts";

/** The limit on stored entries of administrative changes. */
export function auditLimits(auditLog: Pick<AuditLog, "usage">): LimitSource {
  return async ({ participantId, mode }) => {
    const { limit, used } = await auditLog.usage(mode, participantId);
    return [usedLimit(LimitKind.AUDIT_ENTRIES, limit, used)];
  };
}

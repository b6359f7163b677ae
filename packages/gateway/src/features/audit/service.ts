import type { ServiceImpl } from "@connectrpc/connect";
import { type AuditService, Role } from "@petak/protocol";
import type { AuditLog } from "@petak/records";
import { requireParticipant } from "../../identity/index.ts";
import { listAuditEntries } from "./list-audit-entries.ts";

const readers = { roles: [Role.AUDITOR, Role.ADMIN] };

/** Creates the service that reads the administrative changes. */
export function createAuditService(auditLog: Pick<AuditLog, "read">): ServiceImpl<typeof AuditService> {
  return {
    listAuditEntries: (request, context) => listAuditEntries(auditLog, request, requireParticipant(context, readers)),
  };
}

import type { DescService } from "@bufbuild/protobuf";
import type { AuditLog, HeldCounts, Queues, QuotaUsage, SiteStore, WebhookStore } from "@petak/records";
import type { LimitSource } from "../participant/limit-source.ts";
import type { HoldAllowance } from "../reservation/hold-allowance.ts";
import { auditLimits } from "./audit-limits.ts";
import { callLimits, type MessageLimits } from "./call-limits.ts";
import { holdLimits } from "./hold-limits.ts";
import { queueLimits } from "./queue-limits.ts";
import { quotaLimits } from "./quota-limits.ts";
import { type SharedParts, shareLimits } from "./share-limits.ts";
import { webhookLimits } from "./webhook-limits.ts";

/** The parts of a gateway that have limits. */
export interface LimitedParts {
  holds: { counts: HeldCounts; sites: Pick<SiteStore, "find">; allowance: Readonly<HoldAllowance> };
  queues: Pick<Queues, "limits" | "usage">;
  webhooks: Pick<WebhookStore, "count">;
  messages: MessageLimits;
  services: readonly DescService[];
  shares: SharedParts;
  quotas: QuotaUsage;
  auditLog: Pick<AuditLog, "usage">;
}

/** All limits that GetLimits returns, in its order. A new limit needs a source here. */
export function createLimitSources(parts: LimitedParts): readonly LimitSource[] {
  const { holds, queues, webhooks, messages, services, shares, quotas, auditLog } = parts;
  return [
    holdLimits(holds.counts, holds.sites, holds.allowance),
    queueLimits(queues),
    webhookLimits(webhooks),
    callLimits(messages, services),
    shareLimits(shares),
    quotaLimits(quotas),
    auditLimits(auditLog),
  ];
}

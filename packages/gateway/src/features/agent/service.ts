import type { ServiceImpl } from "@connectrpc/connect";
import type { AgentService } from "@petak/protocol";
import type { Records, TermsBook } from "@petak/records";
import { type KeyDirectory, requireAgent } from "../../identity/index.ts";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import type { Receipts } from "../custody/receipts/receipts.ts";
import { createReservationChanges } from "../idempotency/change-reservation.ts";
import { boot } from "./boot.ts";
import { reportEvents } from "./report-events.ts";
import { sync } from "./sync.ts";

export interface AgentDependencies {
  records: Pick<Records, "sites" | "reservations" | "bundles" | "siteRevocations" | "requestIds">;
  secrets: GatewaySecrets;
  keys: Pick<KeyDirectory, "findKey">;
  receipts: Receipts;
  now: () => number;
  /** Interval of Sync calls without other causes, in ms. */
  syncIntervalMs: number;
  termsBook: TermsBook;
}

/** Creates the agent service. Every call is restricted to the agent of the site that it names. */
export function createAgentService({ records, receipts, ...rest }: AgentDependencies): ServiceImpl<typeof AgentService> {
  const { sites, reservations, bundles, siteRevocations } = records;
  const dependencies = { ...rest, changes: createReservationChanges(records, receipts), sites, reservations, bundles, siteRevocations };
  return {
    boot: (request, context) => boot(dependencies, request, requireAgent(context, request.siteId)),
    sync: (request, context) => sync(dependencies, request, requireAgent(context, request.siteId)),
    reportEvents: (request, context) => reportEvents(dependencies, request, requireAgent(context, request.siteId)),
  };
}

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

/** The stores, keys and clock of the agents' service. */
export interface AgentDependencies {
  records: Pick<Records, "sites" | "reservations" | "bundles" | "siteRevocations" | "requestIds">;
  secrets: GatewaySecrets;
  /** Where agents' keys are found. */
  keys: Pick<KeyDirectory, "findKey">;
  receipts: Receipts;
  now: () => number;
  /** How often agents call Sync when nothing else prompts them, in ms. */
  syncIntervalMs: number;
  termsBook: TermsBook;
}

/** The agents' service: each call only by the agent of the site that it names, and where it is handled. */
export function createAgentService({ records, receipts, ...rest }: AgentDependencies): ServiceImpl<typeof AgentService> {
  const { sites, reservations, bundles, siteRevocations } = records;
  const dependencies = { ...rest, changes: createReservationChanges(records, receipts), sites, reservations, bundles, siteRevocations };
  return {
    boot: (request, context) => boot(dependencies, request, requireAgent(context, request.siteId)),
    sync: (request, context) => sync(dependencies, request, requireAgent(context, request.siteId)),
    reportEvents: (request, context) => reportEvents(dependencies, request, requireAgent(context, request.siteId)),
  };
}

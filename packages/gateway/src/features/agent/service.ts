import type { ServiceImpl } from "@connectrpc/connect";
import type { AgentService, ResolveCodeRequest, SyncRequest, WatchCommandsRequest } from "@petak/protocol";
import type { Records, TermsBook } from "@petak/records";
import { type CallerContext, type KeyDirectory, requireAgent } from "../../identity/index.ts";
import type { Logger } from "../../observability/index.ts";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import { callKey } from "../../transport/index.ts";
import type { EndCommandDependencies } from "../command/end-command.ts";
import { type WatchCommandsDependencies, watchCommands } from "../command/watch-commands.ts";
import type { Receipts } from "../custody/receipts/receipts.ts";
import { type EnrolDependencies, enrol } from "../enrolment/enrol.ts";
import type { EpochDependencies } from "../enrolment/epochs.ts";
import { requireInCharge } from "../enrolment/in-charge.ts";
import type { PinRotation } from "../enrolment/pin-rotation.ts";
import { createReservationChanges } from "../idempotency/change-reservation.ts";
import { allowAgent } from "./allowed-agent.ts";
import { type BootDependencies, boot } from "./boot.ts";
import type { NamedAllowancesDependencies } from "./named-allowances.ts";
import { resolveCode } from "./resolve-code.ts";
import { sync } from "./sync.ts";
import { takeReports } from "./take-reports.ts";
import { bringsAlarms, tellAlarms } from "./tell-alarms.ts";

export interface AgentDependencies
  extends Omit<EnrolDependencies, "sites" | "secrets">,
    Omit<WatchCommandsDependencies, "commandStreams">,
    EndCommandDependencies,
    EpochDependencies,
    NamedAllowancesDependencies,
    Pick<BootDependencies, "commandKeys"> {
  records: Pick<
    Records,
    | "sites"
    | "reservations"
    | "bundles"
    | "allowedChanges"
    | "siteRevocations"
    | "refusalCounts"
    | "requestIds"
    | "issuedCredentials"
    | "deviceReports"
    | "pinKeys"
    | "reportsApart"
    | "labelIndex"
    | "labelIndex"
  >;
  secrets: GatewaySecrets;
  keys: Pick<KeyDirectory, "findKey">;
  receipts: Receipts;
  pinRotation: Pick<PinRotation, "tellRest">;
  /** Interval of Sync calls without other causes, in ms. */
  syncIntervalMs: number;
  termsBook: TermsBook;
  logger: Logger;
}

/** Creates the agent service. Every call but Enrol is restricted to the agent of the site that it names. */
export function createAgentService({ records, receipts, ...rest }: AgentDependencies): ServiceImpl<typeof AgentService> {
  const {
    sites,
    reservations,
    bundles,
    allowedChanges,
    siteRevocations,
    refusalCounts,
    issuedCredentials,
    deviceReports,
    pinKeys,
    reportsApart,
    labelIndex,
  } = records;
  const dependencies = {
    ...rest,
    changes: createReservationChanges(records, receipts),
    sites,
    reservations,
    bundles,
    allowedChanges,
    siteRevocations,
    refusalCounts,
    issuedCredentials,
    deviceReports,
    pinKeys,
    commandStreams: new Map<string, AbortController>(),
    reportsApart,
    labelIndex,
  };
  const holder = (context: CallerContext, request: SyncRequest | WatchCommandsRequest | ResolveCodeRequest) =>
    allowAgent(dependencies, requireAgent(context, request.siteId), request.epoch);
  return {
    enrol: (request, { values }) => enrol(dependencies, request, values.get(callKey)?.source ?? ""),
    async boot(request, context) {
      const caller = requireAgent(context, request.siteId);
      return await boot(dependencies, request, caller, await requireInCharge(dependencies, caller));
    },
    sync: async (request, context) => sync(dependencies, request, await holder(context, request)),
    resolveCode: async (request, context) => resolveCode(dependencies, request, await holder(context, request)),
    async *watchCommands(request, context) {
      yield* watchCommands(dependencies, await holder(context, request), context);
    },
    async reportEvents(request, context) {
      const caller = requireAgent(context, request.siteId);
      return bringsAlarms(request) ? await tellAlarms(dependencies, request, caller) : await takeReports(dependencies, request, caller);
    },
  };
}

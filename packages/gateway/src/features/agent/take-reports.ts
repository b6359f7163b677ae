import { type DeviceEvent, PetakError, type ReportEventsRequest, type ReportEventsResponse } from "@petak/protocol";
import type { AgentCaller } from "../../identity/index.ts";
import { chargeChanged } from "../enrolment/in-charge.ts";
import { type AllowAgentDependencies, type AllowedAgent, allowAgain, allowAgent } from "./allowed-agent.ts";
import { apartReasons, type KeepApartDependencies, keepReportsApart } from "./keep-reports-apart.ts";
import { type ReportEventsDependencies, reportEvents } from "./report-events.ts";

export interface TakeReportsDependencies extends AllowAgentDependencies, KeepApartDependencies, ReportEventsDependencies {}

/** How often a call is allowed: each time more than the first the agent in charge has changed meanwhile. */
const attempts = 3;

/**
 * Records the reports of the agent that is in charge, and keeps those of others apart. Those that are left when another agent takes its place during the call are
 * kept apart too.
 */
export async function takeReports(
  dependencies: TakeReportsDependencies,
  request: ReportEventsRequest,
  caller: AgentCaller,
): Promise<ReportEventsResponse> {
  async function take(events: DeviceEvent[], allow: () => Promise<AllowedAgent>, attempt: number): Promise<ReportEventsResponse> {
    const part = { ...request, events };
    if (attempt > attempts) throw chargeChanged(caller.siteId);
    let allowed: AllowedAgent;
    try {
      allowed = await allow();
    } catch (error) {
      if (!(error instanceof PetakError) || !apartReasons.has(error.reason)) throw error;
      return await keepReportsApart(dependencies, part, caller, error);
    }
    const again = () => allowAgain(dependencies, allowed, request.epoch);
    return await reportEvents(dependencies, part, allowed, (rest) => take(rest, again, attempt + 1));
  }
  return await take(request.events, () => allowAgent(dependencies, caller, request.epoch), 1);
}

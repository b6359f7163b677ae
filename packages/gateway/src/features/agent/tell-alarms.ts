import { create } from "@bufbuild/protobuf";
import {
  EventType,
  invalidField,
  PartyKind,
  type ReportEventsRequest,
  type ReportEventsResponse,
  ReportEventsResponseSchema,
} from "@petak/protocol";
import { type AgentCaller, keyRevoked } from "../../identity/index.ts";
import type { Logger } from "../../observability/index.ts";
import { type InChargeDependencies, requireInCharge } from "../enrolment/in-charge.ts";

export interface TellAlarmsDependencies extends InChargeDependencies {
  logger: Logger;
  now: () => number;
}

const dayMs = 86_400_000;

/** Whether a call brings alarms. @throws {PetakError} INVALID_FIELD if it brings reports too, or neither */
export function bringsAlarms({ alarms, events }: ReportEventsRequest): boolean {
  if (alarms.length > 0 && events.length > 0)
    throw invalidField(
      "alarms",
      "must be empty if the call has events; send them in a call of their own",
      "report_events.alarms_or_events",
    );
  if (alarms.length === 0 && events.length === 0)
    throw invalidField("events", "must have 1 to 100 reports, or none and `alarms`", "report_events.alarms_or_events");
  return alarms.length > 0;
}

/**
 * Tells the operator what is wrong with a device now: once a day for each kind, whatever the device sends.
 *
 * @throws {PetakError} KEY_REVOKED; AGENT_NOT_IN_CHARGE.
 */
export async function tellAlarms(
  dependencies: TellAlarmsDependencies,
  { alarms }: ReportEventsRequest,
  caller: AgentCaller,
): Promise<ReportEventsResponse> {
  const { participantEvents, logger, now } = dependencies;
  const { participantId, siteId, keyId, mode } = caller;
  if (caller.isRevoked) throw keyRevoked(keyId);
  await requireInCharge(dependencies, caller);
  const atMs = now();
  for (const kind of alarms) {
    const event = {
      ...{ type: EventType.SITE_CONDITION, siteId, participantId, isTest: mode === "test" },
      proof: { agentKeyId: keyId },
      actor: { kind: PartyKind.AGENT, participantId },
      siteCondition: { kind },
    };
    const isNew = await participantEvents.append(`alarm:${keyId}:${kind}:${Math.floor(atMs / dayMs)}`, event, atMs);
    if (isNew) logger.warn({ site_id: siteId, key_id: keyId, condition: kind }, "a device says what is wrong with it");
  }
  return create(ReportEventsResponseSchema);
}

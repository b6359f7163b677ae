import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  EventType,
  type PetakError,
  type ReportEventsRequest,
  type ReportEventsResponse,
  ReportEventsResponseSchema,
  ReportKeptApartSchema,
} from "@petak/protocol";
import type { ParticipantEvents, ReportsApart } from "@petak/records";
import type { AgentCaller, KeyDirectory } from "../../identity/index.ts";
import { verifiedReports } from "./report-events.ts";

export interface KeepApartDependencies {
  keys: Pick<KeyDirectory, "findKey">;
  reportsApart: Pick<ReportsApart, "keep">;
  participantEvents: ParticipantEvents;
  now: () => number;
}

/** Why a device is not in charge: the reason with which its other calls fail. */
export const apartReasons: ReadonlySet<string> = new Set(["AGENT_EPOCH_STALE", "AGENT_NOT_IN_CHARGE", "KEY_REVOKED"]);

/**
 * Keeps the reports of a device that is not in charge for its operator to read, who hears of them. Nothing of them is believed or acknowledged, so that the device
 * keeps them too.
 *
 * @param refusal why it is not in charge
 * @throws {PetakError} REPORT_SIGNATURE_INVALID, before anything is kept; `refusal` if the site has as many as are kept.
 */
export async function keepReportsApart(
  { keys, reportsApart, participantEvents, now }: KeepApartDependencies,
  { events, epoch }: ReportEventsRequest,
  caller: AgentCaller,
  refusal: PetakError,
): Promise<ReportEventsResponse> {
  await verifiedReports(keys, caller, events);
  const { siteId, participantId, keyId, mode } = caller;
  const atMs = now();
  const facts = { keyId, epoch: epoch?.number ?? 0, reason: refusal.reason, keptAt: timestampFromMs(atMs) };
  const kept = await Promise.all(events.map((event) => reportsApart.keep(siteId, create(ReportKeptApartSchema, { ...facts, event }))));
  if (kept.includes(false)) throw refusal;
  const { in_charge_key_id: other = "", current_epoch: current = "0" } = refusal.metadata;
  const inChargeKeyId = refusal.reason === "AGENT_EPOCH_STALE" ? keyId : other;
  const secondAgent = { keyId, inChargeKeyId, heldEpoch: facts.epoch, currentEpoch: Number(current), reportsKeptApart: true };
  const alarm = { type: EventType.SECOND_AGENT_REFUSED, siteId, participantId, isTest: mode === "test", secondAgent };
  await participantEvents.append(`reports-apart:${keyId}:${current}`, alarm, atMs);
  return create(ReportEventsResponseSchema, { keptApartSequence: events.at(-1)?.sequence ?? 0n });
}

import type { MessageInitShape } from "@bufbuild/protobuf";
import { encodeBase64url, reportJws } from "@petak/credential";
import { type DeviceEvent, type EventSchema, EventType, PetakError } from "@petak/protocol";
import type { ParticipantEvents } from "@petak/records";
import type { AgentCaller } from "../../identity/index.ts";
import type { Logger } from "../../observability/index.ts";

export interface ForkDependencies {
  participantEvents: ParticipantEvents;
  logger: Logger;
  now: () => number;
}

/** A report that is kept apart, since the device's reports have forked. */
export interface KeptReport {
  sequence: bigint;
  /** Its hash: 32 bytes. */
  hash: Uint8Array;
  /** Undefined: the device has named only its hash. */
  event?: DeviceEvent;
  /** The number of the last recorded report of the device. */
  watermark: number;
}

/**
 * Keeps a report apart: in an event for the operator, as the device signed it. Once for each report, as long as it is sent again within a week. How many there can be
 * is bounded where the fork is noted.
 */
export async function keepFork(dependencies: ForkDependencies, kept: KeptReport, caller: AgentCaller): Promise<void> {
  const { sequence, hash, event, watermark } = kept;
  const { keyId, siteId } = caller;
  const statement = event === undefined ? "" : reportJws(keyId, siteId, event);
  await tell(dependencies, `report-fork:${keyId}:${encodeBase64url(hash)}:${event === undefined ? "hash" : "whole"}`, caller, {
    type: EventType.REPORTS_FORKED,
    said: "the reports of a device have forked",
    numbers: { sequence: String(sequence), acknowledged: String(watermark) },
    reportFork: { keyId, sequence, reportHash: new Uint8Array(hash), statement, acknowledgedSequence: BigInt(watermark) },
  });
}

/** Tells the operator of reports that one side lacks. */
export async function tellMissing(
  dependencies: ForkDependencies,
  missing: { first: number; last: number; isDevice: boolean },
  caller: AgentCaller,
): Promise<void> {
  const { first, last, isDevice } = missing;
  const { keyId } = caller;
  await tell(dependencies, `missing-reports:${keyId}:${isDevice}:${last}`, caller, {
    type: EventType.REPORTS_MISSING,
    said: "a device or the gateway lacks reports",
    numbers: { first: String(first), last: String(last), lacks: isDevice },
    missingReports: { keyId, firstSequence: BigInt(first), lastSequence: BigInt(last), isDevice },
  });
}

/** Records an event for the operator, once, and then logs its numbers. */
async function tell(
  { participantEvents, logger, now }: ForkDependencies,
  name: string,
  { participantId, siteId, keyId, mode }: AgentCaller,
  { said, numbers, ...content }: MessageInitShape<typeof EventSchema> & { said: string; numbers: object },
): Promise<void> {
  const event = { siteId, participantId, isTest: mode === "test", ...content };
  if (await participantEvents.append(name, event, now())) logger.warn({ site_id: siteId, key_id: keyId, ...numbers }, said);
}

/** The error for a device whose reports have forked. */
export function sequenceFork({ keyId }: AgentCaller, watermark: number, sequence: bigint): PetakError {
  return new PetakError(
    "SEQUENCE_FORK",
    `the reports of ${keyId} have forked: report ${sequence} is not the one that belongs after or among the ${watermark} recorded ones, or an earlier one was not; it is kept apart, and its operator ends the key (petak agents replace)`,
    { metadata: { acknowledged: String(watermark), received: String(sequence), subject: String(sequence) } },
  );
}

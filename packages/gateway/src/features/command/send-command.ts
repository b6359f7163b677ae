import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { commandDeadlineMs, commandIdOf, commandType, judgeCommandTimes, verifyCommand } from "@petak/credential";
import { participantParty } from "@petak/lifecycle";
import {
  CommandSchema,
  CommandSignatureSchema,
  CommandState,
  CommandType,
  EventType,
  invalidField,
  ReservationState,
  type SendCommandRequest,
  SendCommandRequestSchema,
  type SendCommandResponse,
  SendCommandResponseSchema,
} from "@petak/protocol";
import type { Commands, ParticipantEvents, RequestIds, ReservationStore, SiteStore, StoredCommand } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { findOwnSite } from "../sites/find-sites.ts";
import { type CommandKeysDependencies, requireCommandKey } from "./command-keys.ts";
import { tellOfCommand } from "./command-view.ts";
import { type CommandLimits, countCommand } from "./count-commands.ts";
import { signatureInvalid } from "./signature-invalid.ts";

export interface SendCommandDependencies extends CommandKeysDependencies {
  sites: Pick<SiteStore, "find">;
  reservations: Pick<ReservationStore, "allowedAt">;
  commands: Commands;
  commandLimits: CommandLimits;
  participantEvents: ParticipantEvents;
  requestIds: Pick<RequestIds, "claim">;
}

/**
 * Accepts a command to a site of the caller. The device judges the signature again: what is checked here only spares it, and tells the caller early.
 *
 * @throws {PetakError} SITE_NOT_FOUND; COMMAND_KEY_REQUIRED; COMMAND_SIGNATURE_INVALID; COMMANDS_EXHAUSTED.
 */
export async function sendCommand(
  dependencies: SendCommandDependencies,
  request: SendCommandRequest,
  caller: ParticipantCaller,
): Promise<SendCommandResponse> {
  const { sites, commands, participantEvents, requestIds, now } = dependencies;
  const { siteId, requestId } = request;
  refuseCompartment(request);
  await findOwnSite(sites, siteId, caller);
  await claimRequest(requestIds, caller, SendCommandRequestSchema, request);
  const commandId = await commandIdOf(siteId, requestId);
  const before = await commands.find(commandId);
  if (before?.command.endedAt !== undefined) return create(SendCommandResponseSchema, { command: before.command });
  // Again after a crash in between: both find what is there.
  const stored = await commands.add(before ?? (await accept(dependencies, commandId, request, caller)));
  await tellOfCommand(participantEvents, EventType.COMMAND_SENT, stored, { actor: participantParty(caller), atMs: now() });
  return create(SendCommandResponseSchema, { command: stored.command });
}

function refuseCompartment({ type, compartmentId }: SendCommandRequest): void {
  const needs = type === CommandType.OPEN_FOR_SERVICE;
  const allows = needs || type === CommandType.TAKE_OUT_OF_SERVICE || type === CommandType.PUT_INTO_SERVICE;
  if (needs && compartmentId === "")
    throw invalidField("compartment_id", "must name the compartment that is to open", "command.compartment");
  if (!allows && compartmentId !== "") {
    throw invalidField("compartment_id", "must be empty: this command is for the whole site", "command.no_compartment");
  }
}

async function accept(
  dependencies: SendCommandDependencies,
  commandId: string,
  request: SendCommandRequest,
  caller: ParticipantCaller,
): Promise<StoredCommand> {
  const { now } = dependencies;
  const { siteId, requestId, type, compartmentId, reason } = request;
  const key = await requireCommandKey(dependencies, caller);
  const signature = { ...(request.signature ?? create(CommandSignatureSchema)), keyId: caller.keyId };
  const order = { siteId, requestId, type, compartmentId, reason };
  if (!(await verifyCommand(commandType, key, order, signature))) throw signatureInvalid(caller.keyId, "SIGNATURE");
  const needsSecond = request.awaitSecondKey || (await holdsParcel(dependencies, request));
  const outOfTime = judgeCommandTimes(signature, { type }, now(), !needsSecond);
  if (outOfTime !== undefined) throw signatureInvalid(caller.keyId, outOfTime);
  await countCommand(dependencies, request, caller);
  const command = create(CommandSchema, {
    ...{ ...order, commandId, signature },
    state: needsSecond ? CommandState.AWAITING_SECOND_KEY : CommandState.SENT,
    createdAt: timestampFromMs(now()),
    deadline: timestampFromMs(commandDeadlineMs({ signature })),
  });
  return { command, operatorId: caller.participantId, isTest: caller.mode === "test" };
}

/** Whether a command would open a door with a parcel behind it, or with one in doubt, as far as the gateway knows. */
async function holdsParcel(
  { reservations }: Pick<SendCommandDependencies, "reservations">,
  { type, siteId, compartmentId }: SendCommandRequest,
): Promise<boolean> {
  if (type !== CommandType.OPEN_FOR_SERVICE) return false;
  const inside: readonly ReservationState[] = [ReservationState.DEPOSITED, ReservationState.IN_DOUBT];
  const allowed = await reservations.allowedAt(siteId);
  return allowed.some(({ reservation }) => reservation.compartmentId === compartmentId && inside.includes(reservation.state));
}

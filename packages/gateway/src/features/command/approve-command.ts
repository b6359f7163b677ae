import { create } from "@bufbuild/protobuf";
import { commandApprovalType, judgeCommandTimes, verifyCommand } from "@petak/credential";
import { participantParty } from "@petak/lifecycle";
import {
  type ApproveCommandRequest,
  ApproveCommandRequestSchema,
  type ApproveCommandResponse,
  ApproveCommandResponseSchema,
  type Command,
  CommandSignatureSchema,
  CommandState,
  EventType,
  PetakError,
} from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { requireCommandKey } from "./command-keys.ts";
import { tellOfCommand } from "./command-view.ts";
import { findOwnCommand } from "./read-commands.ts";
import type { SendCommandDependencies } from "./send-command.ts";
import { signatureInvalid } from "./signature-invalid.ts";

/** Approves a command by a second key of its operator, which signs the same order. The device judges both signatures again. @param onUnchanged called if this key has approved it before */
export async function approveCommand(
  dependencies: Omit<SendCommandDependencies, "sites" | "reservations">,
  request: ApproveCommandRequest,
  caller: ParticipantCaller,
  onUnchanged: () => void,
): Promise<ApproveCommandResponse> {
  const { commands, participantEvents, requestIds, now } = dependencies;
  const { commandId } = request;
  const { keyId } = caller;
  const before = await findOwnCommand(dependencies, commandId, caller);
  await claimRequest(requestIds, caller, ApproveCommandRequestSchema, request);
  if (before.command.secondSignature?.keyId !== keyId) {
    const { command } = before;
    if (command.state !== CommandState.AWAITING_SECOND_KEY || command.signature?.keyId === keyId) throw notApprovable(command);
    const key = await requireCommandKey(dependencies, caller);
    const signature = { ...(request.signature ?? create(CommandSignatureSchema)), keyId };
    if (!(await verifyCommand(commandApprovalType, key, command, signature))) throw signatureInvalid(keyId, "SIGNATURE");
    const outOfTime = judgeCommandTimes(signature, command, now(), true);
    if (outOfTime !== undefined) throw signatureInvalid(keyId, outOfTime);
    await commands.approve(commandId, signature);
  } else onUnchanged();
  const stored = await findOwnCommand(dependencies, commandId, caller);
  // Another key was faster.
  if (stored.command.secondSignature?.keyId !== keyId) throw notApprovable(stored.command);
  if (stored.command.endedAt === undefined) {
    await tellOfCommand(participantEvents, EventType.COMMAND_SENT, stored, { actor: participantParty(caller), atMs: now() });
  }
  return create(ApproveCommandResponseSchema, { command: stored.command });
}

function notApprovable({ commandId, state, signature }: Command): PetakError {
  const name = Object.entries(CommandState).find(([, value]) => value === state)?.[0] ?? String(state);
  const keyId = signature?.keyId ?? "";
  return new PetakError(
    "COMMAND_NOT_APPROVABLE",
    `command ${commandId} is ${name} and was signed first by ${keyId}; only another key approves it, and only while it is AWAITING_SECOND_KEY`,
    { metadata: { subject: commandId, state: name, key_id: keyId } },
  );
}

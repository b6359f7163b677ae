import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Command, CommandSchema, type EventSchema, type EventType, type Party, PetakError } from "@petak/protocol";
import type { ParticipantEvents, StoredCommand } from "@petak/records";

/** What a device gets of a command: what the operator signed. */
export function forDevice({ commandId, siteId, requestId, type, compartmentId, reason, signature, secondSignature }: Command): Command {
  return create(CommandSchema, {
    ...{ commandId, siteId, requestId, type, compartmentId, reason },
    ...(signature && { signature }),
    ...(secondSignature && { secondSignature }),
  });
}

/** Records, once for each state, for the operator what became of a command. */
export async function tellOfCommand(
  participantEvents: ParticipantEvents,
  type: typeof EventType.COMMAND_SENT | typeof EventType.COMMAND_ENDED,
  stored: StoredCommand,
  { actor, atMs }: { actor: Party; atMs: number },
): Promise<void> {
  const { commandId, state } = stored.command;
  await participantEvents.append(`command:${commandId}:${state}`, commandEvent(type, stored, actor), atMs);
}

function commandEvent(type: EventType, { command, operatorId, isTest }: StoredCommand, actor: Party): MessageInitShape<typeof EventSchema> {
  const { commandId, state, compartmentId, refusal, signature, secondSignature } = command;
  return {
    ...{ type, actor, isTest, siteId: command.siteId, participantId: operatorId },
    command: {
      ...{ commandId, state, compartmentId, refusal },
      type: command.type,
      keyId: signature?.keyId ?? "",
      secondKeyId: secondSignature?.keyId ?? "",
    },
  };
}

export function commandNotFound(commandId: string): PetakError {
  return new PetakError("COMMAND_NOT_FOUND", `command ${JSON.stringify(commandId)} does not exist, or the caller may not see it`, {
    metadata: { command_id: commandId },
  });
}

import { create } from "@bufbuild/protobuf";
import {
  CommandSchema,
  type GetCommandRequest,
  type GetCommandResponse,
  GetCommandResponseSchema,
  type ListCommandsRequest,
  type ListCommandsResponse,
  ListCommandsResponseSchema,
} from "@petak/protocol";
import type { Commands, SiteStore, StoredCommand } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { findOwnSite } from "../sites/find-sites.ts";
import { commandNotFound } from "./command-view.ts";

/** A command of the caller. @throws {PetakError} COMMAND_NOT_FOUND if it does not exist, is another operator's or of the other network */
export async function findOwnCommand(
  { commands }: { commands: Pick<Commands, "find"> },
  commandId: string,
  { participantId, mode }: ParticipantCaller,
): Promise<StoredCommand> {
  const stored = await commands.find(commandId);
  if (stored?.operatorId !== participantId || stored.isTest !== (mode === "test")) throw commandNotFound(commandId);
  return stored;
}

/** Returns a command of the caller. */
export async function getCommand(
  dependencies: { commands: Pick<Commands, "find"> },
  { commandId }: GetCommandRequest,
  caller: ParticipantCaller,
): Promise<GetCommandResponse> {
  const { command } = await findOwnCommand(dependencies, commandId, caller);
  return create(GetCommandResponseSchema, { command });
}

/** Returns the latest commands of a site of the caller. */
export async function listCommands(
  { sites, commands }: { sites: Pick<SiteStore, "find">; commands: Pick<Commands, "latestAt"> },
  { siteId }: ListCommandsRequest,
  caller: ParticipantCaller,
): Promise<ListCommandsResponse> {
  await findOwnSite(sites, siteId, caller);
  const latest = await commands.latestAt(siteId);
  return create(ListCommandsResponseSchema, { commands: latest.map(({ command }) => create(CommandSchema, { ...command, logLines: [] })) });
}

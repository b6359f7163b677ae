import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { type CommandService, ListCommandKeysResponseSchema, Role } from "@petak/protocol";
import type { Records } from "@petak/records";
import { requireParticipant } from "../../identity/index.ts";
import { noteUnchanged } from "../audit/audited.ts";
import { type AllowCommandKeyDependencies, allowCommandKey } from "./allow-command-key.ts";
import { approveCommand } from "./approve-command.ts";
import { commandKeysOf } from "./command-keys.ts";
import { getCommand, listCommands } from "./read-commands.ts";
import { type SendCommandDependencies, sendCommand } from "./send-command.ts";

export interface CommandDependencies
  extends Omit<SendCommandDependencies & AllowCommandKeyDependencies, "sites" | "requestIds" | "reservations"> {
  records: Pick<Records, "sites" | "requestIds" | "reservations">;
}

const operators = { roles: [Role.OPERATOR] };

/** Creates the command service. */
export function createCommandService({ records, ...rest }: CommandDependencies): ServiceImpl<typeof CommandService> {
  const { sites, requestIds, reservations } = records;
  const dependencies = { ...rest, sites, requestIds, reservations };
  return {
    sendCommand: (request, context) => sendCommand(dependencies, request, requireParticipant(context, operators)),
    approveCommand: (request, context) =>
      approveCommand(dependencies, request, requireParticipant(context, operators), noteUnchanged(context)),
    getCommand: (request, context) => getCommand(dependencies, request, requireParticipant(context, operators)),
    listCommands: (request, context) => listCommands(dependencies, request, requireParticipant(context, operators)),
    allowCommandKey: (request, context) =>
      allowCommandKey(dependencies, request, requireParticipant(context, operators), noteUnchanged(context)),
    listCommandKeys: async (_request, context) =>
      create(ListCommandKeysResponseSchema, {
        commandKeys: await commandKeysOf(dependencies, requireParticipant(context, operators)),
      }),
  };
}

import { randomUUID } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type CommandOrder,
  type CommandSigning,
  commandApprovalType,
  commandText,
  commandType,
  doorCommandLifetimeMs,
  firstKeyLifetimeMs,
} from "@petak/credential";
import { type Command, CommandType } from "@petak/protocol";
import { CliFailure } from "../failure.ts";
import type { SignedConnection } from "../session.ts";

/** What is to be sent. */
export interface WantedCommand extends Omit<CommandOrder, "requestId"> {
  readonly awaitSecondKey: boolean;
  readonly nowMs: number;
}

/** How long a command that opens no door may wait for its device, in ms: several polls. */
const lifetimeMs = 300_000;

async function signed({ signer }: SignedConnection, signing: CommandSigning, order: CommandOrder, nowMs: number, livesMs: number) {
  const times = { issuedAt: timestampFromMs(nowMs), expiresAt: timestampFromMs(nowMs + livesMs) };
  return { ...times, signature: await signer.sign(commandText(signing, signer.keyId, order, times)) };
}

/** Signs and sends a command. Returns it as accepted. */
export async function send(connection: SignedConnection, { nowMs, awaitSecondKey, ...wanted }: WantedCommand): Promise<Command> {
  const order = { ...wanted, requestId: randomUUID() };
  const isDoor = order.type === CommandType.OPEN_FOR_SERVICE;
  const firstMs = awaitSecondKey ? firstKeyLifetimeMs : doorCommandLifetimeMs;
  const signature = await signed(connection, commandType, order, nowMs, isDoor ? firstMs : lifetimeMs);
  return there((await connection.client.commands.sendCommand({ ...order, awaitSecondKey, signature })).command);
}

/** Signs and approves a command. Returns it as approved. */
export async function approve(connection: SignedConnection, commandId: string, nowMs: number): Promise<Command> {
  const { commands } = connection.client;
  const command = there((await commands.getCommand({ commandId })).command);
  const isDoor = command.type === CommandType.OPEN_FOR_SERVICE;
  const signature = await signed(connection, commandApprovalType, command, nowMs, isDoor ? doorCommandLifetimeMs : lifetimeMs);
  return there((await commands.approveCommand({ requestId: randomUUID(), commandId, signature })).command);
}

function there(command: Command | undefined): Command {
  if (command === undefined) throw new CliFailure("The gateway returned no command.", { reason: "no-command" });
  return command;
}

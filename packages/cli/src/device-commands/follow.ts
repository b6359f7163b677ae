import { setTimeout as pause } from "node:timers/promises";
import { create, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { PetakClient } from "@petak/client/node";
import { type Command, CommandState, GetCommandResponseSchema } from "@petak/protocol";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { printCommand, stateName } from "./describe.ts";

/** How often a command that is waited for is looked at, in ms. */
const lookMs = 300;

/** Waits until a command ends, and prints what became of it. Throws unless it is done, or nobody waits for it. */
export async function followCommand(session: Session, client: PetakClient, sent: Command, waits: boolean): Promise<void> {
  const { output, io } = session;
  const interruption = io.interruption();
  const { commandId } = sent;
  let command = sent;
  let shown: CommandState | undefined;
  while (waits && command.endedAt === undefined && !interruption.aborted) {
    if (command.state !== shown) output.note(waitingFor(command));
    shown = command.state;
    await pause(lookMs, undefined, { signal: interruption }).catch(() => undefined);
    command = (await client.commands.getCommand({ commandId })).command ?? command;
  }
  const result = toJson(GetCommandResponseSchema, create(GetCommandResponseSchema, { command })) as Record<string, unknown>;
  const isOver = command.endedAt !== undefined;
  if (!isOver || command.state === CommandState.DONE) {
    output.json(result);
    printCommand(output, command);
    if (!isOver) output.print(output.colors.dim(`See what becomes of it: petak command show ${commandId}`));
    return;
  }
  const why = command.refusal === "" ? "" : `: ${command.refusal}`;
  throw new CliFailure(`${commandId} is ${stateName(command.state)}${why}. docs/guides/devices.md says what to do.`, {
    reason: `command-${stateName(command.state).replaceAll(" ", "-")}`,
    metadata: { command_id: commandId, ...(why !== "" && { refusal: command.refusal }) },
    result,
  });
}

function waitingFor({ commandId, state, deadline }: Command): string {
  const until = deadline === undefined ? "" : ` until ${timestampDate(deadline).toISOString().slice(11, 19)}Z`;
  if (state === CommandState.AWAITING_SECOND_KEY) {
    return `${commandId} awaits a second key${until}: petak --key OTHER.json command approve ${commandId}`;
  }
  return `${commandId} is sent; the device obeys it${until}.`;
}

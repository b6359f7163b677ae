import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Command, CommandState, CommandType } from "@petak/protocol";
import type { Output } from "../terminal/output.ts";

function nameIn(values: Readonly<Record<string, number | string>>, value: number): string {
  const name = Object.entries(values).find(([, one]) => one === value)?.[0] ?? String(value);
  return name.toLowerCase().replaceAll("_", " ");
}

/** A state for people, e.g. `timed out`. */
export const stateName = (state: CommandState) => nameIn(CommandState, state);

/** A type for people, e.g. `open for service`. */
export const typeName = (type: CommandType) => nameIn(CommandType, type);

/** Prints a command and what became of it. */
export function printCommand(output: Output, command: Command): void {
  const { commandId, siteId, type, compartmentId, state, refusal, reason, signature, secondSignature, deadline, endedAt, logLines } =
    command;
  const keys = [signature, secondSignature].flatMap((one) => (one === undefined ? [] : [one.keyId])).join(" and ");
  const when = endedAt ?? deadline;
  output.print(`${output.colors.cyan(commandId)}  ${typeName(type)}${compartmentId === "" ? "" : ` ${compartmentId}`} at ${siteId}`);
  output.print(`  ${output.colors.bold(stateName(state))}${refusal === "" ? "" : `: ${refusal}`}`);
  output.print(`  signed by ${keys}: ${reason}`);
  if (when !== undefined) output.print(`  ${endedAt === undefined ? "until" : "ended"} ${timestampDate(when).toISOString()}`);
  for (const line of logLines) output.print(`  ${line}`);
}

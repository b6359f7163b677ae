import { commandDeadlineMs, judgeCommand } from "@petak/credential";
import { type Command, type CommandKey, CommandType } from "@petak/protocol";
import type { ChosenDoor } from "./reservation-rules.ts";
import { chooseForService } from "./service-rules.ts";
import type { DoorSnapshot } from "./snapshot.ts";

/** What a decision about a command rests on, beside the doors. */
export interface CommandSnapshot extends DoorSnapshot {
  /** The keys that the agent trusts to sign commands. */
  readonly commandKeys: readonly CommandKey[];
  /** Doors that were opened by command in the last hour. */
  readonly doorsInLastHour: number;
  /** Whether the agent's program can start again by itself. */
  readonly canRestart: boolean;
}

/** Obeyed or not. */
export type CommandDecision =
  | { readonly obeys: true; readonly door?: ChosenDoor; readonly deadlineMs: number }
  /** `isProven`: the operator signed it. */
  | { readonly obeys: false; readonly refusal: string; readonly isProven: boolean };

/** Doors that a terminal opens by command in an hour, whatever its gateway counts: a few visits of a technician. */
export const commandDoorsPerHour = 30;

/** Refusals of what a trusted key signed. */
const afterSignature: ReadonlySet<string> = new Set(["TOO_LONG_LIVED", "NOT_YET_VALID", "EXPIRED"]);

const known: ReadonlySet<CommandType> = new Set(Object.values(CommandType).filter((type) => type !== CommandType.UNSPECIFIED));

/**
 * Decides whether the agent obeys a command, whoever brought it. Pure. A door behind which there may be a parcel, by the agent's own record and sensors, opens only
 * if two keys signed. The caller must record the command before it obeys.
 */
export async function decideCommand(command: Command, snapshot: CommandSnapshot, nowMs: number): Promise<CommandDecision> {
  const { siteId, commandKeys, clockTrusted, doorsInLastHour, canRestart, compartments } = snapshot;
  const signed = await judgeCommand({ command, keys: commandKeys, siteId, nowMs });
  if (typeof signed === "string") return { obeys: false, refusal: signed, isProven: afterSignature.has(signed) };
  const refuse = (refusal: string): CommandDecision => ({ obeys: false, refusal, isProven: true });
  const deadlineMs = commandDeadlineMs(command);
  const { type, compartmentId } = command;
  if (!known.has(type) || (type === CommandType.RESTART && !canRestart)) return refuse("UNSUPPORTED");
  if (compartmentId !== "" && !compartments.some((one) => one.compartmentId === compartmentId)) return refuse("COMPARTMENT");
  if (type !== CommandType.OPEN_FOR_SERVICE) return { obeys: true, deadlineMs };
  // It may have ended while the clock stood still.
  if (!clockTrusted) return refuse("CLOCK_UNTRUSTED");
  if (doorsInLastHour >= commandDoorsPerHour) return refuse("TOO_MANY");
  const door = chooseForService({ allowedId: signed === 2 ? compartmentId : "", compartmentId }, snapshot);
  if (door === "OCCUPIED") return refuse("SECOND_KEY_NEEDED");
  return typeof door === "string" ? refuse(door) : { obeys: true, door, deadlineMs };
}

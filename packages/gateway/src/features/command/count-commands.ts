import { CommandType, PetakError } from "@petak/protocol";
import type { Commands } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";

/** The most commands that may be sent. Each name is that of the gateway's setting. */
export interface CommandLimits {
  /** Commands by one key in a minute. */
  readonly commandsKeyMinuteMax: number;
  /** Doors that commands of one key open in a minute. */
  readonly commandDoorsKeyMinuteMax: number;
  /** Doors of one site that commands open in an hour. */
  readonly commandDoorsSiteHourMax: number;
  /** Doors of one operator's sites in one network that commands open in an hour. */
  readonly commandDoorsOperatorHourMax: number;
}

/** Enough for a technician's help desk, and far from opening a bank of lockers. */
export const defaultCommandLimits: CommandLimits = {
  commandsKeyMinuteMax: 60,
  commandDoorsKeyMinuteMax: 6,
  commandDoorsSiteHourMax: 20,
  commandDoorsOperatorHourMax: 60,
};

const minuteMs = 60_000;
const hourMs = 3_600_000;

interface Counted {
  readonly limit: number;
  readonly per: "key" | "site" | "operator";
  readonly subject: string;
  readonly kind: string;
  readonly periodMs: number;
}

/** Counts a command, over all gateways of the store, in whole minutes and hours. Refused ones count too. @throws {PetakError} COMMANDS_EXHAUSTED */
export async function countCommand(
  { commands, commandLimits, now }: { commands: Pick<Commands, "count">; commandLimits: CommandLimits; now: () => number },
  { siteId, type }: { siteId: string; type: CommandType },
  { keyId, participantId, mode }: ParticipantCaller,
): Promise<void> {
  const { commandsKeyMinuteMax, commandDoorsKeyMinuteMax, commandDoorsSiteHourMax, commandDoorsOperatorHourMax } = commandLimits;
  const counted: Counted[] = [{ limit: commandsKeyMinuteMax, per: "key", subject: keyId, kind: "all", periodMs: minuteMs }];
  if (type === CommandType.OPEN_FOR_SERVICE) {
    counted.push(
      { limit: commandDoorsKeyMinuteMax, per: "key", subject: keyId, kind: "door", periodMs: minuteMs },
      { limit: commandDoorsSiteHourMax, per: "site", subject: siteId, kind: "door", periodMs: hourMs },
      { limit: commandDoorsOperatorHourMax, per: "operator", subject: `${mode}:${participantId}`, kind: "door", periodMs: hourMs },
    );
  }
  for (const { limit, per, subject, kind, periodMs } of counted) {
    const nowMs = now();
    const count = await commands.count(subject, `${kind}:${Math.floor(nowMs / periodMs)}`, periodMs);
    if (count > limit) throw commandsExhausted({ limit, per, subject, retryAfterMs: periodMs - (nowMs % periodMs) });
  }
}

/** The error for a command beyond a limit. */
export function commandsExhausted(facts: { limit: number; per: string; subject: string; retryAfterMs: number }): PetakError {
  const { limit, per, subject, retryAfterMs } = facts;
  const what =
    per === "keys"
      ? `${limit} keys may sign commands already, as many as possible`
      : `${limit} commands of this kind were sent for this ${per}, its limit`;
  return new PetakError("COMMANDS_EXHAUSTED", `${subject}: ${what}; docs/limits.md says what is counted`, {
    retryAfterMs,
    metadata: { limit: String(limit), per, subject },
  });
}

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Command, type CommandKey, type CommandSignature, CommandType } from "@petak/protocol";
import {
  type CommandSigning,
  commandApprovalType,
  commandIdOf,
  commandLifetimeMs,
  commandType,
  doorCommandLifetimeMs,
  firstKeyLifetimeMs,
  verifyCommand,
} from "./command-statement.ts";

/** Why a device does not obey a command before it has looked at its doors. docs/credentials.md lists them. */
export const commandRefusals = ["SITE", "ID", "KEY", "SIGNATURE", "SECOND_KEY", "TOO_LONG_LIVED", "NOT_YET_VALID", "EXPIRED"] as const;
export type CommandRefusal = (typeof commandRefusals)[number];

export interface JudgeCommandInput {
  readonly command: Command;
  /** The keys that the device trusts to sign commands. */
  readonly keys: readonly CommandKey[];
  readonly siteId: string;
  readonly nowMs: number;
}

/** How far a signer's clock may be ahead of the judge's, in ms. */
export const commandLeewayMs = 30_000;

/** Judges what the operator signed, whoever brought it. Pure. Returns how many keys signed, or why the command is refused. */
export async function judgeCommand({ command, keys, siteId, nowMs }: JudgeCommandInput): Promise<1 | 2 | CommandRefusal> {
  const { signature: first, secondSignature: second } = command;
  if (command.siteId !== siteId) return "SITE";
  if (command.commandId !== (await commandIdOf(siteId, command.requestId))) return "ID";
  if (first === undefined) return "SIGNATURE";
  const fault = await judgeSignature(commandType, first, command, keys, nowMs);
  if (fault !== undefined) return fault;
  if (second === undefined) return lifetimeMs(first) > lastLifetimeMs(command) ? "TOO_LONG_LIVED" : 1;
  if (second.keyId === first.keyId) return "SECOND_KEY";
  const secondFault = await judgeSignature(commandApprovalType, second, command, keys, nowMs);
  if (secondFault !== undefined) return secondFault;
  return lifetimeMs(second) > lastLifetimeMs(command) ? "TOO_LONG_LIVED" : 2;
}

/** Until when a command is obeyed, in ms: the earlier end of its signatures. */
export function commandDeadlineMs({ signature, secondSignature }: Pick<Command, "signature" | "secondSignature">): number {
  const ends = [signature, secondSignature]
    .filter((one) => one !== undefined)
    .map(({ expiresAt }) => (expiresAt ? timestampMs(expiresAt) : 0));
  return Math.min(...ends);
}

async function judgeSignature(
  signing: CommandSigning,
  signature: CommandSignature,
  command: Command,
  keys: readonly CommandKey[],
  nowMs: number,
): Promise<CommandRefusal | undefined> {
  const key = keys.find(({ keyId }) => keyId === signature.keyId);
  if (key === undefined) return "KEY";
  if (!(await verifyCommand(signing, key, command, signature))) return "SIGNATURE";
  return judgeCommandTimes(signature, command, nowMs);
}

/** Whether a signature of a command is in time, whoever made it. @param isLast whether no other is to follow */
export function judgeCommandTimes(
  signature: CommandSignature,
  command: Pick<Command, "type">,
  nowMs: number,
  isLast = false,
): "TOO_LONG_LIVED" | "NOT_YET_VALID" | "EXPIRED" | undefined {
  const { issuedAt, expiresAt } = signature;
  if (issuedAt === undefined || expiresAt === undefined) return "EXPIRED";
  const livesMs = lifetimeMs(signature);
  const firstMaxMs = isDoor(command) ? firstKeyLifetimeMs : commandLifetimeMs;
  if (livesMs > (isLast ? lastLifetimeMs(command) : firstMaxMs)) return "TOO_LONG_LIVED";
  if (timestampMs(issuedAt) > nowMs + commandLeewayMs) return "NOT_YET_VALID";
  return livesMs <= 0 || nowMs >= timestampMs(expiresAt) ? "EXPIRED" : undefined;
}

function lifetimeMs({ issuedAt, expiresAt }: CommandSignature): number {
  return issuedAt === undefined || expiresAt === undefined ? 0 : timestampMs(expiresAt) - timestampMs(issuedAt);
}

/** The longest life of a command's last signature, in ms. */
function lastLifetimeMs(command: Pick<Command, "type">): number {
  return isDoor(command) ? doorCommandLifetimeMs : commandLifetimeMs;
}

function isDoor({ type }: Pick<Command, "type">): boolean {
  return type === CommandType.OPEN_FOR_SERVICE;
}

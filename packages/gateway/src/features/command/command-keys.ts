import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { type CommandKey, type CommandKeys, CommandKeysSchema, type ModeName, PetakError } from "@petak/protocol";
import type { CommandKeyStore } from "@petak/records";
import type { KeyDirectory, ParticipantCaller } from "../../identity/index.ts";

export interface CommandKeysDependencies {
  commandKeys: Pick<CommandKeyStore, "of">;
  keyDirectory: Pick<KeyDirectory, "findKey">;
  now: () => number;
}

/** An operator in one network. */
export interface OperatorInMode {
  readonly participantId: string;
  readonly mode: ModeName;
}

/** The keys that may sign commands to an operator's sites: those that were allowed and are not revoked. */
export async function commandKeysOf(
  { commandKeys, keyDirectory, now }: CommandKeysDependencies,
  { participantId, mode }: OperatorInMode,
): Promise<CommandKeys> {
  const keys: CommandKey[] = [];
  for (const key of await commandKeys.of(mode, participantId)) {
    const found = await keyDirectory.findKey(key.keyId);
    if (found !== undefined && (found.revokedAtMs === undefined || found.revokedAtMs > now())) keys.push(key);
  }
  return create(CommandKeysSchema, { version: versionOf(keys), keys });
}

/** Other keys have another version, since agents only compare it. */
function versionOf(keys: readonly CommandKey[]): number {
  if (keys.length === 0) return 1;
  const said = keys.map(({ keyId, byKeyId, label }) => [keyId, byKeyId, label]);
  return createHash("sha256").update(JSON.stringify(said)).digest().readUInt32BE() || 2;
}

/** Throws COMMAND_KEY_REQUIRED unless the key of a call may sign commands. */
export async function requireCommandKey(dependencies: CommandKeysDependencies, caller: ParticipantCaller): Promise<CommandKey> {
  const { keys } = await commandKeysOf(dependencies, caller);
  const own = keys.find(({ keyId }) => keyId === caller.keyId);
  if (own === undefined) throw commandKeyRequired(caller);
  return own;
}

export function commandKeyRequired({ keyId }: Pick<ParticipantCaller, "keyId">): PetakError {
  return new PetakError(
    "COMMAND_KEY_REQUIRED",
    `the key ${keyId} may not sign commands; call with one that may, or let it allow this one (petak command allow-key)`,
    { metadata: { key_id: keyId } },
  );
}

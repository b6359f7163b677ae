import { create, equals } from "@bufbuild/protobuf";
import { verifyCommandKey } from "@petak/credential";
import { participantParty } from "@petak/lifecycle";
import {
  type AllowCommandKeyRequest,
  AllowCommandKeyRequestSchema,
  type AllowCommandKeyResponse,
  AllowCommandKeyResponseSchema,
  CommandKeySchema,
  EventType,
  invalidField,
  PetakError,
} from "@petak/protocol";
import type { CommandKeyStore, ParticipantEvents, RequestIds } from "@petak/records";
import type { CachedKeyDirectory } from "../../identity/cached-key-directory.ts";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { type CommandKeysDependencies, commandKeyRequired, commandKeysOf } from "./command-keys.ts";
import { commandsExhausted } from "./count-commands.ts";
import { signatureInvalid } from "./signature-invalid.ts";

export interface AllowCommandKeyDependencies extends CommandKeysDependencies {
  commandKeys: CommandKeyStore;
  keyDirectory: Pick<CachedKeyDirectory, "findKey" | "forget">;
  participantEvents: ParticipantEvents;
  requestIds: Pick<RequestIds, "claim">;
}

/** Keys of an operator in one network that may sign commands: some people, and a machine or two. Each device keeps them all. */
const commandKeysMax = 10;

/** Lets a key of the caller sign commands. The event is recorded first, so that no key has the right of which the operator did not hear. @param onUnchanged called if it may sign already, by the same words */
export async function allowCommandKey(
  dependencies: AllowCommandKeyDependencies,
  request: AllowCommandKeyRequest,
  caller: ParticipantCaller,
  onUnchanged: () => void,
): Promise<AllowCommandKeyResponse> {
  const { commandKeys, keyDirectory, participantEvents, requestIds, now } = dependencies;
  const { keyId, label, signature } = request;
  const { participantId, mode } = caller;
  await claimRequest(requestIds, caller, AllowCommandKeyRequestSchema, request);
  keyDirectory.forget(keyId);
  const key = await keyDirectory.findKey(keyId);
  if (key?.participantId !== participantId || key.mode !== mode) {
    throw new PetakError("KEY_NOT_FOUND", `key ${JSON.stringify(keyId)} does not exist, or the caller may not see it`, {
      metadata: { key_id: keyId },
    });
  }
  const isRevoked = key.revokedAtMs !== undefined && key.revokedAtMs <= now();
  if (key.siteId !== undefined || isRevoked)
    throw invalidField("key_id", "must be no agent's key, and not revoked", "allow_command_key.key");
  const { keys } = await commandKeysOf(dependencies, caller);
  const mayAllow = keys.length === 0 ? caller.keyId === keyId : keys.some((one) => one.keyId === caller.keyId);
  if (!mayAllow) throw commandKeyRequired(caller);
  const [byKey, allowed] = [
    await keyDirectory.findKey(caller.keyId),
    create(CommandKeySchema, { keyId, publicKey: new Uint8Array(key.publicKey), label, byKeyId: caller.keyId, signature }),
  ];
  if (byKey === undefined || !(await verifyCommandKey(byKey, participantId, allowed))) throw signatureInvalid(caller.keyId, "SIGNATURE");
  if (keys.length >= commandKeysMax && !keys.some((one) => one.keyId === keyId)) {
    throw commandsExhausted({ limit: commandKeysMax, per: "keys", subject: participantId, retryAfterMs: 3_600_000 });
  }
  const event = {
    ...{ type: EventType.COMMAND_KEY_ALLOWED, participantId, actor: participantParty(caller) },
    isTest: mode === "test",
    keyChange: { keyId, byKeyId: caller.keyId },
  };
  await participantEvents.append(`command-key:${keyId}:${caller.keyId}:${request.requestId}`, event, now());
  for (const former of await commandKeys.of(mode, participantId)) {
    if (former.keyId !== keyId && !keys.some((one) => one.keyId === former.keyId))
      await commandKeys.remove(mode, participantId, former.keyId);
  }
  const isSame = keys.some((one) => equals(CommandKeySchema, one, allowed));
  if (isSame) onUnchanged();
  await commandKeys.put(mode, participantId, allowed);
  return create(AllowCommandKeyResponseSchema, { commandKeys: await commandKeysOf(dependencies, caller) });
}

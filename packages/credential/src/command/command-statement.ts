import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Command, type CommandKey, CommandType, unpackBase32 } from "@petak/protocol";
import { sha256 } from "#platform/sha256";
import { encodeBase64url } from "../bytes/base64url.ts";
import { framed } from "../bytes/digest.ts";
import { compactText } from "../jws/sign-compact.ts";
import { verifyText } from "../keys/verify-text.ts";
import { nameOf } from "../receipts/names.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";

/** The `typ` of what the first key signs of a command, of what the second one signs, and of what lets a key sign commands. */
export const commandType = "petak-command";
export const commandApprovalType = "petak-command-approval";
export const commandKeyType = "petak-command-key";

/** The order itself, which both keys of a command sign. */
export type CommandOrder = Pick<Command, "siteId" | "requestId" | "type" | "compartmentId" | "reason">;

/** When a signature of a command was made and ends. */
export interface CommandTimes {
  readonly issuedAt?: Timestamp | undefined;
  readonly expiresAt?: Timestamp | undefined;
}

/** The longest life of a command, in ms: of a door's last signature, of a door's first one if a second must come, and of any other command. */
export const doorCommandLifetimeMs = 60_000;
export const firstKeyLifetimeMs = 600_000;
export const commandLifetimeMs = 3_600_000;

/** Which of a command's two signatures. */
export type CommandSigning = typeof commandType | typeof commandApprovalType;

/** The id of a command: `cmd_` and the first 80 bits of a hash of its site and request id, so that whoever has the signed order knows it. */
export async function commandIdOf(siteId: string, requestId: string): Promise<string> {
  const hash = await sha256(framed("petak command", siteId, requestId));
  return `cmd_${unpackBase32(hash.subarray(0, 10))}`;
}

/** The text that an operator's key signs to send or approve a command: header and claims of a compact JWS. Times are truncated to whole ms. */
export function commandText(signing: CommandSigning, keyId: string, order: CommandOrder, times: CommandTimes): string {
  return compactText(
    { alg: tokenAlgorithm, typ: signing, kid: keyId },
    {
      version: 1,
      site_id: order.siteId,
      request_id: order.requestId,
      type: nameOf(CommandType, order.type),
      compartment_id: order.compartmentId,
      reason: order.reason,
      issued_at_ms: millis(times.issuedAt),
      expires_at_ms: millis(times.expiresAt),
    },
  );
}

/** Whether a key signed an order with these times. */
export function verifyCommand(
  signing: CommandSigning,
  key: { keyId: string; publicKey: Uint8Array },
  order: CommandOrder,
  signature: CommandTimes & { readonly signature: Uint8Array },
): Promise<boolean> {
  return verifyText(key.publicKey, signature.signature, commandText(signing, key.keyId, order, signature));
}

/** The text that a key signs to let a key of its operator sign commands. */
export function commandKeyText(
  byKeyId: string,
  operatorId: string,
  { keyId, publicKey, label }: Pick<CommandKey, "keyId" | "publicKey" | "label">,
): string {
  return compactText(
    { alg: tokenAlgorithm, typ: commandKeyType, kid: byKeyId },
    { version: 1, operator_id: operatorId, key_id: keyId, public_key: encodeBase64url(publicKey), label },
  );
}

/** Whether a key let another one sign commands. @param byKey the key that `allowed.byKeyId` names */
export function verifyCommandKey(
  byKey: { keyId: string; publicKey: Uint8Array },
  operatorId: string,
  allowed: CommandKey,
): Promise<boolean> {
  return verifyText(byKey.publicKey, allowed.signature, commandKeyText(byKey.keyId, operatorId, allowed));
}

function millis(time: Timestamp | undefined): number {
  return time === undefined ? 0 : timestampMs(time);
}

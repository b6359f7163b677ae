import { createContextKey } from "@connectrpc/connect";
import { judgeRequestProof, type RequestProofFault } from "@petak/credential";
import { needsProof, PetakError, wantsProof } from "@petak/protocol";
import type { UsedProofs } from "@petak/records";
import type { Metrics } from "../observability/metrics.ts";
import { callKey } from "../transport/call/call.ts";
import type { CheckValidated, ValidatedCall } from "../transport/call/call-step.ts";
import { callerKey, publishableKeyNotAllowed } from "./caller-key.ts";
import type { KeyDirectory } from "./key-directory.ts";

/** Options of {@link createProofCheck}. */
export interface ProofCheckOptions {
  /** `forget` lets the next look-up read the store. */
  keys: Pick<KeyDirectory, "findKey"> & { forget(keyId: string): void };
  usedProofs: UsedProofs;
  /** Clocks, in ms. A proof must be valid by one of them. */
  clocks: readonly (() => number)[];
  /** Counts signatures. */
  metrics: Pick<Metrics, "signatureChecks">;
}

/**
 * Creates the check that demands a proof for each call that needs one by its schema: a signature for this call alone by the key of its request token. Where
 * what is stored decides as well, it checks a proof that came, and leaves {@link isProvenKey} for the handler. For other calls it costs one look-up.
 */
export function createProofCheck(options: ProofCheckOptions): CheckValidated {
  return (call) => (wantsProof(call.method, call.message) ? prove(options, call) : undefined);
}

/** Key in a call's context of whether a good proof came with it. A call that needs none is not. */
export const isProvenKey = createContextKey(false, { description: "whether the call is proven" });

/** The error for a call that needs a proof and has none. @param why which call needs it */
export function proofRequired(why: string): PetakError {
  return new PetakError(
    "PROOF_REQUIRED",
    `${why} needs a proof in the header DPoP: a JWT for this call alone, signed with the key of the request token; docs/credentials.md says how`,
    { metadata: { header: "DPoP" } },
  );
}

async function prove(
  { keys, usedProofs, clocks, metrics }: ProofCheckOptions,
  { method, contextValues, message, messageBytes }: ValidatedCall,
): Promise<void> {
  const caller = contextValues.get(callerKey);
  const { authorization = "", proof } = contextValues.get(callKey) ?? {};
  if (proof === undefined && !needsProof(method, message)) return;
  if (caller === undefined || messageBytes === undefined) throw new PetakError("INTERNAL", "the call cannot be proven");
  if (caller.kind === "publishable") throw publishableKeyNotAllowed();
  const path = `/${method.parent.typeName}/${method.name}`;
  if (proof === undefined) throw proofRequired(path);
  const nowMs = clocks.map((now) => now());
  const key = await keys.findKey(caller.keyId);
  const judgement = await judgeRequestProof({
    proof,
    path,
    requestToken: authorization.replace(/^bearer +/i, "").trimEnd(),
    requestId: (message as { requestId?: string }).requestId,
    message: messageBytes,
    keyId: caller.keyId,
    publicKey: key?.publicKey ?? new Uint8Array(),
    nowMs,
  });
  // The signature is looked at when everything else is right.
  if (judgement.fault === undefined || judgement.fault === "signature") metrics.signatureChecks.inc();
  if (judgement.fault !== undefined) throw proofInvalid(judgement.fault, path, nowMs);
  await refuseRevoked(keys, caller.keyId, nowMs);
  const leftMs = judgement.endsAtMs - Math.min(...nowMs);
  if (!(await usedProofs.use(caller.keyId, judgement.proofId, leftMs))) {
    throw new PetakError("PROOF_REPLAYED", "a proof with this jti was used before; sign a new one for each attempt");
  }
  contextValues.set(isProvenKey, true);
}

/** Refuses a key that was revoked at any gateway, also if this one does not know yet: nothing that it makes would end with it. */
async function refuseRevoked(keys: ProofCheckOptions["keys"], keyId: string, nowMs: readonly number[]): Promise<void> {
  keys.forget(keyId);
  const { revokedAtMs } = (await keys.findKey(keyId)) ?? { revokedAtMs: 0 };
  if (revokedAtMs === undefined || nowMs.every((now) => now < revokedAtMs)) return;
  throw new PetakError("KEY_REVOKED", `key '${keyId}' was revoked`, { metadata: { key_id: keyId } });
}

const rules: Readonly<Record<RequestProofFault, string>> = {
  form: "it must be one compact JWS of at most 4096 characters",
  alg: 'its header must have "alg":"EdDSA"',
  typ: 'its header must have "typ":"dpop+jwt"',
  crit: "critical header fields are not supported",
  kid: "the kid in its header must be that of the request token",
  jti: "jti must be 16 to 64 letters, digits, - or _",
  htm: 'htm must be "POST"',
  htu: "htu must be the URL of the call, without a query, and end with the path",
  iat: "iat must be within the last 60 s, and at most 30 s ahead of the gateway's clock",
  ath: "ath must be the SHA-256 of the call's request token, in base64url",
  request_id: "request_id must be that of the message",
  message_sha256:
    "message_sha256 must be the SHA-256 of the message's bytes as sent, in base64url; curl sends a file as it is with --data-binary only",
  signature: "its signature does not verify with the key of the request token",
};

function proofInvalid(claim: RequestProofFault, path: string, [nowMs = 0]: readonly number[]): PetakError {
  return new PetakError("PROOF_INVALID", `the proof for ${path} is not accepted: ${rules[claim]}`, {
    metadata: { claim, ...(claim === "iat" && { server_time: new Date(nowMs).toISOString() }) },
  });
}

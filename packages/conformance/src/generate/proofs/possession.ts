import type { PossessionVector } from "../../vectors/proof-vector.ts";
import { base64url, keyNamed, signText, type VectorKey } from "../signing.ts";

const key = keyNamed("a new key");
const other = keyNamed("a thief");
const registration = {
  audience: "petak-k3v9c0x2md5t8y2m",
  participant_id: "par_w8ase5n2ehjkbmbe",
  mode: "live",
  site_id: "site_836520_k3v9c0x2md000008",
  request_id: "0d9b7a52-6c0e-4a39-8a33-1b3f6f6f1c11",
} as const;
const goodClaims = {
  aud: registration.audience,
  sub: registration.participant_id,
  mode: registration.mode,
  site_id: registration.site_id,
  request_id: registration.request_id,
};

function vector(
  id: string,
  shows: string,
  fault: string | null,
  changes: { header?: object; claims?: object; signer?: VectorKey } & Partial<PossessionVector> = {},
): PossessionVector {
  const { header, claims, signer = key, ...members } = changes;
  const goodHeader = { typ: "petak-key-possession+jwt", alg: "EdDSA" };
  const signed = `${base64url(JSON.stringify({ ...goodHeader, ...header }))}.${base64url(JSON.stringify({ ...goodClaims, ...claims }))}`;
  return {
    id,
    shows,
    possession_proof: `${signed}.${base64url(signText(signed, signer))}`,
    public_key: base64url(key.publicKey),
    ...registration,
    ...members,
    expected: { fault },
  };
}

/** Possession proofs. */
export const possession: readonly PossessionVector[] = [
  vector("agent", "An agent's key proves itself", null),
  vector("participant", "A key of the participant itself", null, { claims: { site_id: "" }, site_id: "" }),
  vector("other-signer", "Somebody else's key signed", "signature", { signer: other }),
  vector("other-key", "The proof of another key", "signature", { public_key: base64url(other.publicKey) }),
  vector("other-network", "For another gateway's audience", "aud", { claims: { aud: "petak-0000000000000000" } }),
  vector("other-participant", "For another owner", "sub", { claims: { sub: "par_0000000000000000" } }),
  vector("test", "For the test network", "mode", { claims: { mode: "test" } }),
  vector("other-site", "For another site", "site_id", { claims: { site_id: "site_836520_k3v9c0x2md000009" } }),
  vector("no-site", "The participant's own key, registered as an agent's", "site_id", { claims: { site_id: "" } }),
  vector("missing-site", "site_id is missing", "site_id", { claims: { site_id: undefined }, site_id: "" }),
  vector("other-request", "For another request", "request_id", { claims: { request_id: "1d9b7a52-6c0e-4a39-8a33-1b3f6f6f1c11" } }),
  vector("wrong-typ", "Another typ", "typ", { header: { typ: "dpop+jwt" } }),
  vector("wrong-alg", "Another alg", "alg", { header: { alg: "none" } }),
  vector("crit", "A critical header field", "crit", { header: { crit: ["x"] } }),
  vector("empty", "Nothing", "form", { possession_proof: "" }),
];

import type { ProofVector } from "../../vectors/proof-vector.ts";
import { base64url, keyNamed, sha256, signText, type VectorKey } from "../signing.ts";

const key = keyNamed("a participant");
const other = keyNamed("a thief");
const keyId = "key_live_4c6qfd1mz0t8x2vh";
const nowS = 1_795_518_000;
const path = "/petak.v1.ParticipantService/RevokeKey";
const requestId = "0d9b7a52-6c0e-4a39-8a33-1b3f6f6f1c11";
const message = JSON.stringify({ requestId, keyId: "key_live_0000000000000000" });

function tokenOf(issuedAt: number): string {
  const header = { alg: "EdDSA", typ: "petak-request+jwt", kid: keyId };
  return jws(header, { iss: "par_w8ase5n2ehjkbmbe", aud: "petak-test", iat: issuedAt, exp: issuedAt + 300 }, key);
}

function jws(header: object, claims: object, signer: VectorKey): string {
  const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${base64url(signText(signed, signer))}`;
}

const requestToken = tokenOf(nowS - 60);
const goodHeader = { typ: "dpop+jwt", alg: "EdDSA", kid: keyId };
const goodClaims = {
  jti: "AAECAwQFBgcICQoLDA0ODw",
  htm: "POST",
  htu: `https://gateway.example${path}`,
  iat: nowS,
  ath: base64url(sha256(requestToken)),
  request_id: requestId,
  message_sha256: base64url(sha256(message)),
};

/** A vector whose proof differs from a good one in these members. */
function vector(
  id: string,
  shows: string,
  fault: string | null,
  changes: { header?: object; claims?: object; signer?: VectorKey } & Partial<ProofVector> = {},
): ProofVector {
  const { header, claims, signer = key, ...members } = changes;
  return {
    id,
    shows,
    proof: jws({ ...goodHeader, ...header }, { ...goodClaims, ...claims }, signer),
    path,
    request_token: requestToken,
    key_id: keyId,
    public_key: base64url(key.publicKey),
    request_id: requestId,
    message: base64url(message),
    now_ms: nowS * 1000,
    used: [],
    ...members,
    expected: { fault },
  };
}

const good = vector("good", "A proof of this call", null);
const [header64 = "", claims64 = "", signature64 = ""] = good.proof.split(".");

/** Proofs of calls. */
export const calls: readonly ProofVector[] = [
  good,
  vector("behind-a-proxy", "The host and the beginning of the path are the caller's own", null, {
    claims: { htu: `http://inside:8080/locker${path}` },
  }),
  vector("further-members", "Further members are ignored", null, { header: { cty: "x" }, claims: { nonce: "n" } }),
  vector("no-request-id", "A message without request_id, and a proof without the claim", null, {
    claims: { request_id: undefined },
    request_id: null,
  }),
  vector("last-moment", "The last millisecond of its life", null, { now_ms: (nowS + 60) * 1000 - 1 }),
  vector("clock-ahead", "The signer's clock is 30 s ahead", null, { now_ms: (nowS - 30) * 1000 }),
  vector("too-old", "60 s after iat", "iat", { now_ms: (nowS + 60) * 1000 }),
  vector("too-early", "The signer's clock is more than 30 s ahead", "iat", { now_ms: (nowS - 30) * 1000 - 1 }),
  vector("iat-text", "iat is a text", "iat", { claims: { iat: String(nowS) } }),
  vector("no-iat", "iat is missing", "iat", { claims: { iat: undefined } }),
  vector("wrong-key", "Signed with another key", "signature", { signer: other }),
  vector("wrong-kid", "Another key is named, which also signed", "kid", { header: { kid: "key_live_0000000000000000" }, signer: other }),
  vector("own-key", "The proof carries the thief's own key", "kid", {
    header: { kid: undefined, jwk: { kty: "OKP", crv: "Ed25519", x: base64url(other.publicKey) } },
    signer: other,
  }),
  vector("wrong-path", "For another method", "htu", { claims: { htu: "https://gateway.example/petak.v1.ParticipantService/RegisterKey" } }),
  vector("query", "A URL with a query", "htu", { claims: { htu: `https://gateway.example/?${path}` } }),
  vector("fragment", "A URL with a fragment", "htu", { claims: { htu: `https://gateway.example/#${path}` } }),
  vector("relative", "A path in place of a URL", "htu", { claims: { htu: path } }),
  vector("get", "For GET", "htm", { claims: { htm: "GET" } }),
  vector("other-content", "The message is another", "message_sha256", { message: base64url(message.replace("0000", "1111")) }),
  vector("spaces", "The same JSON with other spaces", "message_sha256", { message: base64url(`${message} `) }),
  vector("other-request", "The claim names another request", "request_id", { claims: { request_id: requestId.replace("0d9b", "1d9b") } }),
  vector("request-id-missing", "The claim is missing", "request_id", { claims: { request_id: undefined } }),
  vector("other-token", "ath of another token of the same key", "ath", { claims: { ath: base64url(sha256(tokenOf(nowS - 61))) } }),
  vector("no-ath", "ath is missing", "ath", { claims: { ath: undefined } }),
  vector("replayed", "The jti was used before", "replayed", { used: [goodClaims.jti] }),
  vector("other-jti", "Another jti was used before", null, { used: ["BAECAwQFBgcICQoLDA0ODw"] }),
  vector("short-jti", "jti of 15 characters", "jti", { claims: { jti: "A".repeat(15) } }),
  vector("long-jti", "jti of 65 characters", "jti", { claims: { jti: "A".repeat(65) } }),
  vector("strange-jti", "jti with a foreign character", "jti", { claims: { jti: "AAECAwQFBgcICQoLDA0OD:" } }),
  vector("wrong-typ", "The typ of a request token", "typ", { header: { typ: "petak-request+jwt" } }),
  vector("no-typ", "typ is missing", "typ", { header: { typ: undefined } }),
  vector("token", "The request token in place of a proof", "typ", { proof: requestToken }),
  vector("none", "alg none, without a signature", "alg", {
    proof: `${base64url(JSON.stringify({ ...goodHeader, alg: "none" }))}.${claims64}.`,
  }),
  vector("es256", "Another alg", "alg", { header: { alg: "ES256" } }),
  vector("crit", "A critical header field", "crit", { header: { crit: ["b64"] } }),
  vector("empty", "Nothing", "form", { proof: "" }),
  vector("two-proofs", "Two proofs in one header", "form", { proof: `${good.proof}, ${good.proof}` }),
  vector("no-signature", "Two segments", "form", { proof: `${header64}.${claims64}` }),
  vector("padding", "A signature with padding", "form", { proof: `${good.proof}==` }),
  vector("not-json", "Claims that are no JSON object", "form", { proof: `${header64}.${base64url("[]")}.${signature64}` }),
  vector("too-long", "More than 4096 characters", "form", { claims: { nonce: "n".repeat(4000) } }),
  vector("changed", "Claims changed after signing", "signature", {
    proof: `${header64}.${base64url(JSON.stringify({ ...goodClaims, jti: "BAECAwQFBgcICQoLDA0ODw" }))}.${signature64}`,
  }),
  vector("short-signature", "A signature of 63 bytes", "signature", {
    proof: `${header64}.${claims64}.${base64url(Buffer.from(signature64, "base64url").subarray(0, 63))}`,
  }),
];

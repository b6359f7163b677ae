import type { CertificateVector } from "../../vectors/certificate-vector.ts";
import { base64url, keyNamed, sha256, signText, type VectorKey, withGreatS } from "../signing.ts";

const root = keyNamed("an operator's root");
const other = keyNamed("a stranger's root");
const issuer = keyNamed("the first issuer");
const device = keyNamed("a participant");
const nowS = 1_795_518_000;
const dayS = 86_400;

const thumbprint = ({ publicKey }: VectorKey) => base64url(sha256(`{"crv":"Ed25519","kty":"OKP","x":"${base64url(publicKey)}"}`));

const issuerClaims = {
  iss: thumbprint(root),
  kind: "issuer",
  kid: issuer.keyId,
  x: base64url(issuer.publicKey),
  nbf: nowS - dayS,
  exp: nowS + 364 * dayS,
  ser: base64url(sha256("serial").subarray(0, 16)),
};
const participantClaims = {
  iss: thumbprint(root),
  kind: "participant",
  sub: "par_w8ase5n2ehjkbmbe",
  kid: "key_live_4c6qfd1mz0t8x2vh",
  x: base64url(device.publicKey),
  nbf: issuerClaims.nbf,
  exp: issuerClaims.exp,
  ser: issuerClaims.ser,
};

interface Changes extends Partial<CertificateVector> {
  header?: object;
  claims?: object;
  /** In place of header and claims as JSON. */
  headerText?: string;
  claimsText?: string;
  signer?: VectorKey;
  signatureOf?: (signature: Buffer) => Buffer;
}

function vector(id: string, shows: string, fault: string | null, changes: Changes = {}): CertificateVector {
  const { header, claims, headerText, claimsText, signer = root, signatureOf = (signature) => signature, ...members } = changes;
  const { type = "certificate", kind = "issuer" } = members;
  const goodClaims = kind === "issuer" ? issuerClaims : participantClaims;
  const writtenHeader = headerText ?? JSON.stringify({ alg: "EdDSA", typ: `petak-${type}`, ...header });
  const signed = `${base64url(writtenHeader)}.${base64url(claimsText ?? JSON.stringify({ ...goodClaims, ...claims }))}`;
  return {
    id,
    shows,
    statement: `${signed}.${base64url(signatureOf(signText(signed, signer)))}`,
    type,
    root_key: base64url(root.publicKey),
    kind,
    now_ms: nowS * 1000,
    ...members,
    expected: { fault },
  };
}

/** A good statement, for changes of its text. */
const { statement } = vector("", "", null);
const [header64, claims64, signature64] = statement.split(".");
const lowOrder = Buffer.from("0100000000000000000000000000000000000000000000000000000000000000", "hex");

/** Certificates and revocations. */
export const certificates: readonly CertificateVector[] = [
  vector("issuer", "A certificate of an issuer's key", null),
  vector("revocation", "The revocation of an issuer's key", null, { type: "revocation" }),
  vector("participant", "A certificate of a participant's key", null, { kind: "participant" }),
  vector("participant-revocation", "The revocation of a participant's key", null, { kind: "participant", type: "revocation" }),
  vector("longest", "Good for exactly 400 days", null, { claims: { exp: issuerClaims.nbf + 400 * dayS } }),
  vector("first-moment", "The root's clock is 5 minutes ahead", null, { claims: { nbf: nowS + 300 } }),
  vector("last-moment", "A millisecond before its end", null, { now_ms: issuerClaims.exp * 1000 - 1 }),

  vector("empty", "Nothing", "form", { statement: "" }),
  vector("two-segments", "No signature", "form", { statement: `${header64}.${claims64}` }),
  vector("four-segments", "A fourth segment", "form", { statement: `${statement}.` }),
  vector("padded", "base64url with padding", "form", { statement: `${statement}==` }),
  vector("short-signature", "A signature of 63 bytes", "form", { signatureOf: (signature) => signature.subarray(1) }),
  vector("over-long", "More than 1024 characters", "form", { claims: { kid: "k".repeat(500) } }),
  vector("header-spaces", "A header with spaces", "form", { headerText: '{"alg":"EdDSA", "typ":"petak-certificate"}' }),
  vector("claims-list", "Claims that are no object", "form", { claimsText: "[]" }),
  vector("claims-spaces", "Claims with spaces", "form", { claimsText: JSON.stringify(issuerClaims).replace(",", ", ") }),
  vector("claims-twice", "Two members of one name", "form", {
    claimsText: JSON.stringify(issuerClaims).replace(/}$/, ',"kind":"issuer"}'),
  }),
  vector("no-alg", "alg none", "alg", { header: { alg: "none" } }),
  vector("access-token", "The type of an access token", "typ", { header: { typ: "petak-deposit" } }),
  vector("certificate-as-revocation", "A certificate where a revocation is expected", "typ", {
    type: "revocation",
    statement,
  }),
  vector("crit", "A critical header field", "form", { header: { crit: ["x"], x: 1 } }),
  vector("kid", "A header field that is not known", "form", { header: { kid: "Xy3_" } }),
  vector("header-order", "Header fields in another order", "form", { headerText: '{"typ":"petak-certificate","alg":"EdDSA"}' }),

  vector("other-root", "Signed by another root", "iss", { signer: other, claims: { iss: thumbprint(other) } }),
  vector("other-signer", "Signed by another root in the name of this one", "signature", { signer: other }),
  vector("itself", "Signed by the key itself", "signature", { signer: issuer }),
  vector("tampered", "Another key in the claims", "signature", {
    statement: `${header64}.${base64url(JSON.stringify({ ...issuerClaims, x: base64url(other.publicKey), kid: other.keyId }))}.${signature64}`,
  }),
  vector("great-s", "The order of the group added to S", "signature", { signatureOf: withGreatS }),
  vector("low-order-root", "A root key of low order", "signature", {
    root_key: base64url(lowOrder),
    claims: { iss: base64url(sha256(`{"crv":"Ed25519","kty":"OKP","x":"${base64url(lowOrder)}"}`)) },
  }),

  vector("unknown-claim", "A claim that is not known", "claims", { claims: { aud: "petak-k3v9c0x2md5t8y2m" } }),
  vector("claims-order", "Claims in another order", "claims", {
    claimsText: JSON.stringify(Object.fromEntries(Object.entries(issuerClaims).reverse())),
  }),
  vector("no-serial", "Without a serial number", "claims", { claims: { ser: undefined } }),
  vector("short-serial", "A serial number of 15 bytes", "claims", { claims: { ser: base64url(sha256("serial").subarray(0, 15)) } }),
  vector("no-end", "Without an end", "claims", { claims: { exp: undefined } }),
  vector("end-as-text", "An end that is a text", "claims", { claims: { exp: String(issuerClaims.exp) } }),
  vector("end-first", "An end at its beginning", "claims", { claims: { exp: issuerClaims.nbf } }),
  vector("fraction", "A beginning with a fraction", "claims", { claims: { nbf: issuerClaims.nbf + 0.5 } }),
  vector("short-key", "A key of 31 bytes", "claims", { claims: { x: base64url(issuer.publicKey.subarray(1)) } }),
  vector("unknown-kind", "A kind that is not known", "claims", { claims: { kind: "root" } }),
  vector("issuer-with-sub", "An issuer's key with a participant", "claims", {
    claimsText: JSON.stringify({ ...participantClaims, kind: "issuer", kid: issuer.keyId, x: issuerClaims.x }),
  }),
  vector("no-sub", "A participant's key without its participant", "claims", { kind: "participant", claims: { sub: undefined } }),
  vector("bad-sub", "A participant that is none", "claims", { kind: "participant", claims: { sub: "par_W8ASE5N2EHJKBMBE" } }),
  vector("long-kid", "A key id of 65 characters", "claims", { kind: "participant", claims: { kid: "k".repeat(65) } }),

  vector("participant-as-issuer", "A participant's key where an issuer's is expected", "kind", {
    statement: vector("", "", null, { kind: "participant" }).statement,
  }),
  vector("issuer-as-participant", "An issuer's key where a participant's is expected", "kind", { statement, kind: "participant" }),
  vector("other-kid", "A key id that is not the key's", "key", { claims: { kid: other.keyId } }),
  vector("low-order", "A key of low order", "key", { kind: "participant", claims: { x: base64url(lowOrder) } }),
  vector("too-long-lived", "Good for 400 days and a second", "lifetime", { claims: { exp: issuerClaims.nbf + 400 * dayS + 1 } }),
  vector("too-early", "5 minutes and a second before it begins", "nbf", { claims: { nbf: nowS + 301 } }),
  vector("expired", "At its end", "exp", { now_ms: issuerClaims.exp * 1000 }),
  vector("expired-revocation", "A revocation at its end", "exp", { type: "revocation", now_ms: issuerClaims.exp * 1000 }),
];

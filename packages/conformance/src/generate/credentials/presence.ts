import type { CredentialVector } from "../../vectors/credential-vector.ts";
import { base64url, holderHashOf, keyNamed, signOffByTorsion, signText, withGreatS } from "../signing.ts";
import { boundClaims, boundToken, challenge, challengeNamed, type Facts, given, holder, proofOf, serviceClaims } from "./bound.ts";
import {
  bundleClaims,
  type Changes,
  claims,
  early,
  earlyClaims,
  lastSiteId,
  opens,
  otherReservationId,
  otherSiteId,
  refused,
  refusedProven,
  reservationId,
  token,
  vector,
  visit,
} from "./scene.ts";
import { audienceOf } from "./site-audience.ts";

const { aud, sub, cnf, nbf, exp, sz } = boundClaims;
const recall = boundToken("petak-recall", boundClaims);
const collect = boundToken("petak-collect", boundClaims);
const deposit = boundToken("petak-deposit", boundClaims);
const ofRecall = { act: "RECALL", credentialId: recall.id };
const ofCollect = { act: "COLLECT", credentialId: collect.id };
const ready: Changes = { state: { ...given, inside: [reservationId] } };
const proof = proofOf(recall.id);
const [, key64 = "", signature64 = ""] = proof.split(".");
const shown = { token: recall.token, presence: proof };
const stranger = keyNamed("a stranger");
const lowOrder = Buffer.alloc(32);
const delegate = boundToken("petak-delegate", boundClaims);
const ofLowOrder = boundToken("petak-recall", { ...boundClaims, cnf: holderHashOf(lowOrder) });

const bad = (refusal: string, id: string, shows: string, presence: string, changes: Changes = ready) =>
  vector(id, shows, { token: recall.token, presence }, refusedProven(refusal, ofRecall), changes);
const malformed = (id: string, shows: string, presence: string) => bad("PRESENCE_MALFORMED", id, shows, presence);
const unsigned = (id: string, shows: string, facts: Facts) => bad("PRESENCE_SIGNATURE", id, shows, proofOf(recall.id, facts));
/** In a token that is short enough in all. */
const wrongClaims = (id: string, shows: string, changes: object, type = "petak-recall", good: object = boundClaims) => {
  const times = { nbf: earlyClaims.nbf, exp: earlyClaims.exp };
  const shownToken = boundToken(type, { ...good, ...times, ...changes }).token;
  return vector(id, shows, { token: shownToken, presence: proof }, refused("CLAIMS"), { ...ready, ...early });
};

/** Tokens that are bound to a key, and what proves that its owner is there. */
export const presence: CredentialVector[] = [
  vector("recall", "A token for RECALL with a presence proof opens the door of the parcel.", shown, opens(ofRecall), ready),
  vector(
    "collect",
    "A token to collect that is bound to a key opens with a proof.",
    { token: collect.token, presence: proofOf(collect.id) },
    opens(ofCollect),
    ready,
  ),
  vector(
    "deposit",
    "A token to deposit may be bound as well.",
    { token: deposit.token, presence: proofOf(deposit.id) },
    opens({ credentialId: deposit.id }),
    { state: given },
  ),
  vector(
    "delegate",
    "A delegate's token may be bound as well.",
    { token: delegate.token, presence: proofOf(delegate.id) },
    opens({ act: "COLLECT", credentialId: delegate.id, delegated: true }),
    ready,
  ),
  vector(
    "bundle",
    "A bundle's token is never bound: its doors open one after another by one showing.",
    { token: boundToken("petak-collect", { aud, bdl: bundleClaims.bdl, cnf, nbf, exp }).token },
    refused("CLAIMS"),
    ready,
  ),
  vector(
    "longest-site",
    "A token that is bound to a key is no longer than another.",
    (() => {
      const { token: text, id } = boundToken("petak-deposit", { ...boundClaims, aud: audienceOf(lastSiteId) });
      return { token: text, presence: proofOf(id, { site: lastSiteId }) };
    })(),
    opens({ credentialId: boundToken("petak-deposit", { ...boundClaims, aud: audienceOf(lastSiteId) }).id }),
    { site_id: lastSiteId, state: given },
  ),
  vector(
    "unasked",
    "A proof beside a token that is bound to no key is not looked at.",
    { token: token({}, "petak-collect"), presence: "x" },
    opens({ act: "COLLECT" }),
    ready,
  ),
  vector(
    "missing",
    "The token alone opens nothing: a copy of it is worth nothing.",
    { token: recall.token },
    refusedProven("PRESENCE_MISSING", ofRecall),
    ready,
  ),
  vector(
    "missing-collect",
    "A token to collect that is bound to a key opens nothing by itself either.",
    { token: collect.token },
    refusedProven("PRESENCE_MISSING", ofCollect),
    ready,
  ),
  bad("CHALLENGE_EXPIRED", "last-millisecond-over", "A challenge is over a minute after it was given.", proof, {
    state: { challenges: [{ challenge, age_ms: 60_000 }], inside: [reservationId] },
  }),
  vector("last-millisecond", "A challenge is good up to the last millisecond of its minute.", shown, opens(ofRecall), {
    state: { challenges: [{ challenge, age_ms: 59_999 }], inside: [reservationId] },
  }),
  vector("at-once", "A challenge is good at once.", shown, opens(ofRecall), {
    state: { challenges: [{ challenge, age_ms: 0 }], inside: [reservationId] },
  }),
  bad("CHALLENGE_EXPIRED", "clock-set-back", "A challenge that is yet to be given, by a clock that was set back, is over.", proof, {
    state: { challenges: [{ challenge, age_ms: -1 }], inside: [reservationId] },
  }),
  bad(
    "CHALLENGE_UNKNOWN",
    "replayed",
    "A proof that was used is nothing any more, as is one from before a restart: its challenge is gone.",
    proof,
    {
      state: { inside: [reservationId] },
    },
  ),
  bad(
    "CHALLENGE_UNKNOWN",
    "challenge-of-another-site",
    "A proof that another site's door asked for opens nothing here.",
    proofOf(recall.id, { challenge: challengeNamed("another site's challenge") }),
  ),
  bad(
    "CHALLENGE_UNKNOWN",
    "challenge-made-up",
    "A challenge that the site did not issue is refused.",
    proofOf(recall.id, { challenge: base64url(Buffer.alloc(16)) }),
  ),
  unsigned("challenge-of-before", "The named challenge must be the signed one.", {
    challenge: challengeNamed("an earlier challenge"),
    named: challenge,
  }),
  unsigned("other-site", "The site is signed, so a proof that was made for a door elsewhere opens nothing here.", {
    site: otherSiteId,
  }),
  unsigned("other-door", "The door is signed: none, where the token says which by its reservation.", { door: "A1" }),
  unsigned("other-purpose", "A signature of the same key for another purpose is refused.", {
    purpose: "petak-request",
  }),
  bad("PRESENCE_SIGNATURE", "other-token", "A proof is for one token.", proofOf(collect.id)),
  bad(
    "PRESENCE_SIGNATURE",
    "token-id-as-jti",
    "The signed id is derived from the token; it is not the hash of the key.",
    proofOf(boundClaims.cnf),
  ),
  bad("HOLDER_KEY", "strangers-key", "A valid proof with a key other than the token's is refused.", proofOf(recall.id, { key: stranger })),
  unsigned("strangers-signature", "A stranger's signature under the holder's key is not good.", {
    key: stranger,
    publicKey: holder.publicKey,
  }),
  vector(
    "low-order-key",
    "A key of low order is refused even if the token is bound to it, since anybody could sign.",
    {
      token: ofLowOrder.token,
      // R is the neutral point and S is 0: good for one message in four under a key of order 4.
      presence: [challenge, base64url(lowOrder), base64url(Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]))].join("."),
    },
    refusedProven("HOLDER_KEY", { act: "RECALL", credentialId: ofLowOrder.id }),
    ready,
  ),
  unsigned("s-not-reduced", "S must be less than the group's order.", { sign: (message, key) => withGreatS(signText(message, key)) }),
  unsigned("off-by-torsion", "The equation is the one without the cofactor.", { sign: signOffByTorsion }),
  unsigned("all-zero", "64 zero bytes are no signature.", { sign: () => Buffer.alloc(64) }),
  malformed("empty", "An empty proof is refused.", ""),
  malformed("two-parts", "A proof has three parts.", `${challenge}.${key64}`),
  malformed("four-parts", "A proof has no fourth part.", `${proof}.`),
  malformed("padded", "A proof has no padding.", `${challenge}==.${key64}.${signature64}`),
  malformed("short-key", "A key of 31 bytes is refused.", `${challenge}.${base64url(Buffer.alloc(31))}.${signature64}`),
  malformed("short-signature", "A signature of 63 bytes is refused.", `${challenge}.${key64}.${base64url(Buffer.alloc(63))}`),
  malformed("short-challenge", "A challenge of 15 bytes is refused.", `${base64url(Buffer.alloc(15))}.${key64}.${signature64}`),
  malformed(
    "stray-bits",
    "Each part has one canonical encoding.",
    `${challenge}.${key64}.${signature64.slice(0, -1)}${signature64.endsWith("B") ? "C" : "B"}`,
  ),
  malformed("newline", "A newline after the proof is not ignored.", `${proof}\n`),
  malformed(
    "shifted-dot",
    "The parts have their lengths, not the whole alone.",
    `${challenge}${key64.slice(0, 1)}.${key64.slice(1)}.${signature64}`,
  ),
  wrongClaims("both-ids", "A token that is bound has no id of its own beside the key's hash.", { jti: "" }),
  wrongClaims("cnf-short", "A hash of 15 bytes names no key.", { cnf: base64url(Buffer.alloc(15)) }),
  wrongClaims(
    "cnf-thumbprint",
    "The whole thumbprint is not the hash.",
    { cnf: base64url(Buffer.alloc(32)) },
    "petak-service",
    serviceClaims,
  ),
  wrongClaims("cnf-object", "The hash is a string, not an object as in other tokens.", { cnf: { jkt: boundClaims.cnf } }),
  wrongClaims("cnf-null", "A token to take a parcel back is bound.", { cnf: null }),
  vector(
    "cnf-out-of-order",
    "The hash must be in the place of the id.",
    { token: boundToken("petak-recall", { aud, cnf, sub, nbf, exp, sz }).token, presence: proof },
    refused("CLAIMS"),
    ready,
  ),
  vector("spent", "A token that is bound is good once, whatever proof comes with it.", shown, refusedProven("SPENT", ofRecall), {
    state: { ...given, inside: [reservationId], spent: [recall.id] },
  }),
  vector(
    "missing-before-spent",
    "A missing presence proof takes precedence over a spent token.",
    { token: recall.token },
    refusedProven("PRESENCE_MISSING", ofRecall),
    { state: { spent: [recall.id] } },
  ),
  vector(
    "expired-before-presence",
    "A token's times come before who shows it.",
    { token: recall.token },
    refusedProven("EXPIRED", ofRecall),
    {
      ...ready,
      now_ms: (claims.exp + 300) * 1000,
    },
  ),
  vector("grace", "The door opens once more for a new proof.", shown, opens(ofRecall, undefined, true), {
    state: { ...given, spent: [recall.id], visits: [visit({ credential_id: recall.id })], inside: [reservationId] },
  }),
  vector(
    "grace-needs-presence",
    "The door does not open once more for the token alone.",
    { token: recall.token },
    refusedProven("PRESENCE_MISSING", ofRecall),
    { state: { ...given, spent: [recall.id], visits: [visit({ credential_id: recall.id })], inside: [reservationId] } },
  ),
  vector(
    "recall-nothing-inside",
    "Where the parcel does not lie it cannot be taken back.",
    shown,
    refusedProven("NOT_DEPOSITED", ofRecall),
    {
      state: { ...given, inside: [otherReservationId] },
    },
  ),
  vector(
    "recall-over",
    "A parcel that was collected, or is in doubt, is not taken back.",
    shown,
    refusedProven("RESERVATION_STATE", ofRecall),
    {
      state: { ...given, inside: [reservationId], over: [reservationId] },
    },
  ),
  vector("recall-in-use", "While the collector has the door open, a recall is refused.", shown, refusedProven("IN_USE", ofRecall), {
    state: { ...given, inside: [reservationId], visits: [visit({})] },
  }),
];

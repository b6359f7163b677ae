import type { CredentialVector, VectorState } from "../../vectors/credential-vector.ts";
import { pinId } from "./pins.ts";
import {
  bundleClaims,
  bundleId,
  bundleToken,
  early,
  earlyClaims,
  hashOf,
  lastSiteId,
  nowMs,
  nowS,
  opens,
  otherReservationId,
  otherSiteId,
  type Proven,
  pin,
  refused,
  refusedProven,
  reservationId,
  thirdReservationId,
  token,
  tokenIdNamed,
  vector,
  visit,
} from "./scene.ts";
import { audienceOf } from "./site-audience.ts";

const [first, second, third] = [reservationId, otherReservationId, thirdReservationId];
const good = { token: bundleToken() };
const jti = bundleClaims.jti;
const shown = (changes: Proven = {}): Proven => ({ act: "COLLECT", bundleId, ...changes });
/** The bundle opens for the first of some reservations, then for the others. */
const opensFor = (one: string, ...next: string[]): Proven => shown({ reservationId: one, next });
const nothing = shown({ reservationId: "" });
const state = (changes: Partial<VectorState> = {}) => ({
  state: { bundles: [{ bundle_id: bundleId, reservation_ids: [first, second, third] }], inside: [first, second, third], ...changes },
});
/** The bundle after its credential was used: it still opens for some reservations. */
const used = (left: string[], changes: Partial<VectorState> = {}) =>
  state({ spent: [jti], to_collect: [{ credential_id: jti, reservation_ids: left }], inside: left, ...changes });
const known = { bundle_id: bundleId, hash: pinId, not_before_ms: (nowS - 3600) * 1000, expires_at_ms: (nowS + 3600) * 1000 };
const ofPin = { credentialId: pinId };
const failed = { failures: 3, last_failure_ms: nowMs - 60_000, locked_until_ms: nowMs - 60_000 };
const wrongClaims = (id: string, shows: string, changes: object, type?: string) =>
  vector(id, shows, { token: bundleToken({ nbf: 1, exp: 200, ...changes }, type) }, refused("CLAIMS"), { ...early, ...state() });

/** Bundles: one credential, one collection, a door for each parcel. */
export const bundles: CredentialVector[] = [
  vector(
    "good",
    "A bundle's token opens the doors of its parcels, one after another.",
    good,
    opens(opensFor(first, second, third)),
    state(),
  ),
  vector(
    "order",
    "In the order of the gateway's list.",
    good,
    opens(opensFor(third, first, second)),
    state({ bundles: [{ bundle_id: bundleId, reservation_ids: [third, first, second] }] }),
  ),
  vector(
    "longest-site",
    "The longest bundle's token there can be.",
    { token: bundleToken({ aud: audienceOf(lastSiteId) }) },
    opens(opensFor(first, second, third)),
    { site_id: lastSiteId, ...state() },
  ),
  vector(
    "pin",
    "A bundle's PIN opens the same doors.",
    { pin },
    opens({ ...opensFor(first, second, third), ...ofPin }),
    state({ pins: [known] }),
  ),
  vector(
    "one-not-there",
    "A parcel that is not there holds up no other.",
    good,
    opens(opensFor(first, third)),
    state({ inside: [first, third] }),
  ),
  vector(
    "one-over",
    "A parcel whose reservation has ended or is in doubt does not block the others.",
    good,
    opens(opensFor(second, third)),
    state({ over: [first] }),
  ),
  vector(
    "one-in-use",
    "A parcel whose door another credential has just opened does not block the others.",
    good,
    opens(opensFor(second, third)),
    state({ visits: [visit({ credential_id: tokenIdNamed("the parcel's own token"), reservation_id: first })] }),
  ),
  vector("not-a-member", "A parcel that is in no list of the bundle is not opened.", good, opens(opensFor(first)), {
    state: { bundles: [{ bundle_id: bundleId, reservation_ids: [first] }], inside: [first, second] },
  }),
  vector(
    "nothing-there",
    "With no parcel there it opens nothing, and is not spent by it.",
    good,
    refusedProven("NOT_DEPOSITED", nothing),
    state({ inside: [] }),
  ),
  vector(
    "unknown-bundle",
    "A bundle that the gateway's list does not name has no parcel here.",
    good,
    refusedProven("NOT_DEPOSITED", nothing),
    {
      state: { inside: [first, second, third] },
    },
  ),
  vector(
    "all-over",
    "With every reservation over it opens nothing.",
    good,
    refusedProven("RESERVATION_STATE", nothing),
    state({ over: [first, second, third] }),
  ),
  vector("next-door", "Shown again, it opens the next door.", good, opens(opensFor(second, third)), used([second, third])),
  vector(
    "next-door-after-reboot",
    "After a power cut in the middle of the collection it opens for what was not opened, as the disk says.",
    good,
    opens(opensFor(third)),
    { now_ms: nowMs + 600_000, ...used([third]) },
  ),
  vector(
    "each-once",
    "A parcel for which it has opened it does not open for again.",
    good,
    opens(opensFor(third)),
    used([third], { inside: [first, third] }),
  ),
  vector("all-collected", "When it has opened for all it is spent.", good, refusedProven("SPENT", nothing), used([])),
  vector(
    "came-later",
    "A parcel that came after its first use needs another credential.",
    good,
    refusedProven("SPENT", nothing),
    used([], { inside: [second] }),
  ),
  vector(
    "another-credential",
    "A bundle's credentials are spent independently.",
    { token: bundleToken({ jti: tokenIdNamed("a second token of the bundle") }) },
    opens({ ...opensFor(second), credentialId: tokenIdNamed("a second token of the bundle") }),
    used([], { inside: [second] }),
  ),
  vector(
    "door-open",
    "While one of its doors is open, it opens no other, since scanners read a code many times.",
    good,
    refusedProven("IN_USE", nothing),
    used([second, third], { visits: [visit({ phase: "OPEN" })] }),
  ),
  vector(
    "grace",
    "While a door is closed again and its parcel still inside, it opens that door again before the next.",
    good,
    opens(opensFor(first, second, third), undefined, true),
    used([second, third], { visits: [visit()], inside: [first, second, third] }),
  ),
  vector(
    "grace-beside-others",
    "Though another credential has just opened the door of the next.",
    good,
    opens(opensFor(first), undefined, true),
    used([second], { visits: [visit(), visit({ credential_id: tokenIdNamed("the parcel's own token"), reservation_id: second })] }),
  ),
  vector(
    "grace-after-power-cut",
    "After a power cut between spending and opening, the credential opens again.",
    good,
    opens(opensFor(first, second, third), undefined, true),
    used([second, third], { visits: [visit({ phase: "OPENING" })], inside: [first, second, third] }),
  ),
  vector(
    "grace-used-up",
    "After the second reopening it opens the next door.",
    good,
    opens(opensFor(second, third)),
    used([second, third], { visits: [visit({ reopenings: 2 })], inside: [first, second, third] }),
  ),
  vector(
    "pin-next-door",
    "A PIN's next door takes no wrong PIN back: that its holder knows it is not shown anew.",
    { pin },
    opens({ ...opensFor(second), ...ofPin }, failed),
    used([], {
      spent: [pinId],
      to_collect: [{ credential_id: pinId, reservation_ids: [second] }],
      inside: [second],
      pins: [known],
      lock_out: failed,
    }),
  ),
  vector(
    "pin-first-door",
    "Its first takes one back.",
    { pin },
    opens({ ...opensFor(first), ...ofPin }, { ...failed, failures: 2 }),
    state({ pins: [known], inside: [first], lock_out: failed }),
  ),
  vector(
    "pin-spent",
    "A PIN that has opened for all counts as a wrong one.",
    { pin },
    refusedProven("SPENT", { ...nothing, ...ofPin }, { failures: 1, last_failure_ms: nowMs, locked_until_ms: nowMs }),
    used([], { spent: [pinId], to_collect: [], pins: [known] }),
  ),
  vector(
    "revoked",
    "A bundle's token that was revoked opens nothing.",
    good,
    refusedProven("REVOKED", nothing),
    state({ revoked: [{ bundle_id: bundleId, credential_hash: hashOf(jti) }] }),
  ),
  vector(
    "revoked-in-the-middle",
    "A credential revoked during the collection opens nothing.",
    good,
    refusedProven("REVOKED", nothing),
    used([second], { visits: [visit()], revoked: [{ bundle_id: bundleId, credential_hash: hashOf(jti) }] }),
  ),
  vector(
    "other-site",
    "A bundle's token opens at its own site only.",
    { token: bundleToken({ aud: audienceOf(otherSiteId) }) },
    refusedProven("SITE", nothing),
    state(),
  ),
  vector("expired", "It expires as any token does.", good, refusedProven("EXPIRED", nothing), {
    now_ms: (bundleClaims.exp + 300) * 1000,
    ...state(),
  }),
  vector(
    "handle-as-sub",
    "A reservation's token that names the bundle's handle is a reservation's.",
    { token: token({ sub: bundleClaims.bdl }, "petak-collect") },
    refusedProven("NOT_DEPOSITED", { act: "COLLECT", reservationId: `res_83652b_${bundleClaims.bdl}` }),
    state(),
  ),
  wrongClaims("deposit", "No bundle is deposited with one token.", {}, "petak-deposit"),
  wrongClaims("recall", "None is recalled with one.", {}, "petak-recall"),
  wrongClaims("service", "None is a reason for service.", {}, "petak-service"),
  vector(
    "both",
    "A token is a reservation's or a bundle's, not both.",
    // In the first seconds of 1970: there is no room for longer times.
    { token: token({ ...earlyClaims, exp: 9, sz: undefined, bdl: bundleClaims.bdl }, "petak-collect") },
    refused("CLAIMS"),
    {
      now_ms: 5000,
      ...state(),
    },
  ),
  wrongClaims("neither", "Nor neither.", { bdl: undefined }),
  wrongClaims("size-class", "A bundle's token names no size class.", { sz: 0 }),
  wrongClaims("handle-short", "A bundle's handle has 16 letters.", { bdl: "5t8yq2m4p9w7z3x" }),
  wrongClaims("handle-letter", "Its letters are those of base 32.", { bdl: "5t8yq2m4p9w7z3xl" }),
  wrongClaims("handle-number", "It is a text.", { bdl: 5 }),
];

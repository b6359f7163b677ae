import type { CredentialVector } from "../../vectors/credential-vector.ts";
import { base64url, keyNamed } from "../signing.ts";
import {
  bundle,
  dayS,
  early,
  earlyClaims,
  lastSiteId,
  nowS,
  opens,
  previousKey,
  refused,
  refusedProven,
  reservationId,
  token,
  vector,
} from "./scene.ts";
import { audienceOf } from "./site-audience.ts";

const collect = token({}, "petak-collect");
const inside = { state: { inside: [reservationId] } };
const nextKey = keyNamed("the epoch to come");
const nextTold = { key_id: nextKey.keyId, public_key: base64url(nextKey.publicKey), not_after_ms: bundle.not_after_ms };
/** The longest possible token: 317 characters. */
const longest = token({ aud: audienceOf(lastSiteId) }, "petak-deposit");

/** Tokens that open, and valid ones that do not open at this site now. */
export const acts: CredentialVector[] = [
  vector("deposit", "A token to deposit opens a free place of its size class.", { token: token() }, opens()),
  vector("collect", "A token to collect opens the door of its parcel.", { token: collect }, opens({ act: "COLLECT" }), inside),
  vector(
    "previous-epoch",
    "A token of the epoch before opens while its key is relied on.",
    { token: token({}, "petak-deposit", previousKey) },
    opens(),
  ),
  vector(
    "next-epoch",
    "A key announced in the bundle is trusted before the terminal learns that it signs.",
    { token: token({}, "petak-deposit", nextKey) },
    opens(),
    { trust_bundle: { ...bundle, issuer_keys: [...bundle.issuer_keys.slice(0, 1), nextTold] } },
  ),
  vector("early", "A token with short times opens in the year 1970, as any other does.", { token: token(earlyClaims) }, opens(), early),
  vector("longest-site", "The greatest site number is a site like any other.", { token: longest }, opens(), {
    site_id: lastSiteId,
  }),
  vector("longest-life", "A token may be valid for 14 days.", { token: token({ nbf: nowS - dayS, exp: nowS + 13 * dayS }) }, opens()),
  vector(
    "not-booted",
    "A terminal that has never reached its gateway has nothing to judge by.",
    { token: token() },
    refused("NOT_BOOTED"),
    { trust_bundle: null, pin_key: null },
  ),
  vector(
    "deposit-is-no-collect",
    "A token to deposit does not open the door of the reservation's parcel.",
    { token: token() },
    refusedProven("ALREADY_DEPOSITED"),
    inside,
  ),
  vector(
    "collect-is-no-deposit",
    "A token to collect opens no empty place.",
    { token: collect },
    refusedProven("NOT_DEPOSITED", { act: "COLLECT" }),
  ),
  vector(
    "act-of-the-type-only",
    "A claim cannot name the act: the type does, and an unknown claim is refused.",
    { token: token({ ...earlyClaims, act: "COLLECT" }) },
    refused("CLAIMS"),
    { ...early, ...inside },
  ),
  vector(
    "recall-unbound",
    "A token for RECALL without a holder's key opens nothing.",
    { token: token({}, "petak-recall") },
    refused("CLAIMS"),
    inside,
  ),
  vector(
    "service-unbound",
    "A token for SERVICE without a holder's key opens nothing.",
    { token: token({}, "petak-service") },
    refused("CLAIMS"),
  ),
  vector("no-place", "A token to deposit opens no place of another size class.", { token: token() }, refusedProven("NO_COMPARTMENT"), {
    state: { free_size_classes: [0, 1] },
  }),
  vector(
    "no-such-size-class",
    "A size class that the site does not have has no place free.",
    { token: token({ sz: 7 }) },
    refusedProven("NO_COMPARTMENT"),
  ),
  vector(
    "reservation-over",
    "A good token opens nothing when the gateway's list says that its reservation is over: so it is revoked.",
    { token: token() },
    refusedProven("RESERVATION_STATE"),
    { state: { over: [reservationId] } },
  ),
];

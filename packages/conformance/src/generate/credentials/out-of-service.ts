import type { CredentialOutcome, CredentialVector, VectorState } from "../../vectors/credential-vector.ts";
import { boundClaims, boundToken, given, proofOf, serviceClaims } from "./bound.ts";
import { pinId, waiting } from "./pins.ts";
import {
  bundleId,
  bundleToken,
  claims,
  nowS,
  opens,
  pin,
  refused,
  refusedProven,
  reservationId,
  skewS,
  token,
  tokenIdNamed,
  vector,
  visit,
} from "./scene.ts";

const deposit = { token: token() };
const collect = { token: token({}, "petak-collect") };
const recall = boundToken("petak-recall", boundClaims);
const service = boundToken("petak-service", serviceClaims);
const paused = { lifecycle: "MAINTENANCE", draining: false };
const place = { compartment_id: "B1", reservation_id: "", occupied: false };
const at = (lifecycle: string, state: Partial<VectorState> = {}, draining = false) => ({
  state: { site: { lifecycle, draining }, ...state },
});
const atPaused = (id: string, shows: string, shown: CredentialVector["credential"], outcome: CredentialOutcome, state: object = {}) =>
  vector(id, shows, shown, outcome, { state: { site: paused, ...state } });
const shut = refusedProven("SITE_OUT_OF_SERVICE");
const inside = { inside: [reservationId] };

/** A site that takes nothing in gives everything out. */
export const outOfService: CredentialVector[] = [
  atPaused("paused", "A token to deposit that was issued before the pause opens nothing; its holder is told why.", deposit, shut),
  vector("planned", "A site that is not open yet takes nothing in.", deposit, shut, at("PLANNED")),
  vector("retired", "A retired site takes nothing in.", deposit, shut, at("DECOMMISSIONED")),
  vector("draining", "A retired site that keeps its reservations still takes theirs in.", deposit, opens(), at("DECOMMISSIONED", {}, true)),
  vector("paused-while-draining", "A draining site that is paused takes nothing in.", deposit, shut, at("MAINTENANCE", {}, true)),
  vector("unspecified", "A site whose phase is not stated is in service.", deposit, opens(), at("UNSPECIFIED")),
  vector("unknown", "A phase that the terminal does not know is out of service.", deposit, shut, at("QUARANTINE")),
  atPaused("full", "That no place is free does not matter then.", deposit, shut, { free_size_classes: [] }),
  atPaused(
    "already-deposited",
    "Whoever has deposited already is refused as at any time.",
    deposit,
    refusedProven("ALREADY_DEPOSITED"),
    inside,
  ),
  atPaused("over", "So is whoever's reservation is over.", deposit, refusedProven("RESERVATION_STATE"), { over: [reservationId] }),
  atPaused("spent", "So is a credential that was used.", deposit, refusedProven("SPENT"), { spent: [claims.jti] }),
  atPaused(
    "expired",
    "A token that has expired is not told the site's phase.",
    { token: token({ exp: nowS - skewS }) },
    refusedProven("EXPIRED"),
  ),
  atPaused(
    "stranger",
    "Nor is a token that nobody signed.",
    { token: `${token().split(".").slice(0, 2).join(".")}.${token({ jti: tokenIdNamed("another") }).split(".")[2]}` },
    refused("SIGNATURE"),
  ),
  atPaused(
    "in-progress",
    "A deposit that has begun is completed: its door, which fell shut, opens once more.",
    deposit,
    opens({}, undefined, true),
    { spent: [claims.jti], visits: [visit()] },
  ),
  atPaused("collect", "A token to collect opens.", collect, opens({ act: "COLLECT" }), inside),
  atPaused("pin", "A PIN opens.", { pin }, opens({ act: "COLLECT", credentialId: pinId }), waiting),
  atPaused("bundle", "A bundle's token opens.", { token: bundleToken() }, opens({ act: "COLLECT", bundleId }), {
    ...inside,
    bundles: [{ bundle_id: bundleId, reservation_ids: [reservationId] }],
  }),
  atPaused(
    "recall",
    "A token for RECALL opens.",
    { token: recall.token, presence: proofOf(recall.id) },
    opens({ act: "RECALL", credentialId: recall.id }),
    { ...given, ...inside },
  ),
  atPaused(
    "service",
    "A token for SERVICE opens.",
    { token: service.token, presence: proofOf(service.id, { door: "B1" }), compartment_id: "B1" },
    opens({ act: "SERVICE", reservationId: "", credentialId: service.id }),
    { ...given, compartments: [place] },
  ),
  vector(
    "collect-retired",
    "At a retired site too, what is inside is given out.",
    collect,
    opens({ act: "COLLECT" }),
    at("DECOMMISSIONED", inside),
  ),
];

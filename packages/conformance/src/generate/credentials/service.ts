import type { CredentialVector, VectorState } from "../../vectors/credential-vector.ts";
import { boundToken, given, proofOf, serviceClaims } from "./bound.ts";
import {
  type Changes,
  hashOf,
  opens,
  refused,
  refusedProven,
  reservationId,
  siteId,
  token,
  claims as tokenClaims,
  vector,
  visit,
} from "./scene.ts";

const type = "petak-service";
const ofSite = boundToken(type, serviceClaims);
const ofDoor = boundToken(type, { ...serviceClaims, sub: "A1" });
const parcel = { compartment_id: "A1", reservation_id: reservationId, occupied: true };
const unknown = { compartment_id: "A2", reservation_id: "", occupied: true };
const empty = { compartment_id: "B1", reservation_id: "", occupied: false };
const state = (changes: Partial<VectorState> = {}): Changes => ({
  state: { ...given, compartments: [parcel, unknown, empty], ...changes },
});
const proven = (tokenId: string, whose = "") => ({ act: "SERVICE", reservationId: whose, credentialId: tokenId });
const forSite = (door: string, signed = door) => ({
  token: ofSite.token,
  presence: proofOf(ofSite.id, { door: signed }),
  compartment_id: door,
});
/** Revoked by the list of the scene's site. */
const revoked = [{ site_id: siteId, credential_hash: hashOf(ofSite.id) }];
const forDoor = { token: ofDoor.token, presence: proofOf(ofDoor.id, { door: "A1" }) };
const claims = (id: string, shows: string, changes: object) =>
  vector(id, shows, { token: boundToken(type, { ...serviceClaims, ...changes }).token }, refused("CLAIMS"), state());

/** Doors that open for SERVICE. */
export const service: CredentialVector[] = [
  vector("site", "A token for the site opens a door without a parcel.", forSite("B1"), opens(proven(ofSite.id)), state()),
  vector(
    "site-occupied",
    "It does not open a door with a parcel; the token must name that door.",
    forSite("A1"),
    refusedProven("OCCUPIED", proven(ofSite.id)),
    state(),
  ),
  vector(
    "site-occupied-by-nobody",
    "It does not open a door if the sensor detects something inside.",
    forSite("A2"),
    refusedProven("OCCUPIED", proven(ofSite.id)),
    state(),
  ),
  vector(
    "door",
    "A token that names a door opens it even with a parcel inside, and the report names the reservation.",
    forDoor,
    opens(proven(ofDoor.id, reservationId)),
    state(),
  ),
  vector(
    "door-named-again",
    "Naming the token's own door changes nothing.",
    { ...forDoor, compartment_id: "A1" },
    opens(proven(ofDoor.id, reservationId)),
    state(),
  ),
  vector(
    "other-door",
    "It opens no other door.",
    { token: ofDoor.token, presence: proofOf(ofDoor.id, { door: "B1" }), compartment_id: "B1" },
    refusedProven("COMPARTMENT", proven(ofDoor.id)),
    state(),
  ),
  vector(
    "no-door",
    "A door must be named.",
    { token: ofSite.token, presence: proofOf(ofSite.id) },
    refusedProven("COMPARTMENT", proven(ofSite.id)),
    state(),
  ),
  vector(
    "no-such-door",
    "A door that the site does not have does not open.",
    forSite("Z9"),
    refusedProven("COMPARTMENT", proven(ofSite.id)),
    state(),
  ),
  vector(
    "door-is-signed",
    "The proof covers the door, so it cannot be used for another one.",
    forSite("B1", "A2"),
    refusedProven("PRESENCE_SIGNATURE", proven(ofSite.id)),
    state(),
  ),
  vector(
    "no-presence",
    "Service requires a presence proof.",
    { token: ofSite.token, compartment_id: "B1" },
    refusedProven("PRESENCE_MISSING", proven(ofSite.id)),
    state(),
  ),
  vector(
    "replayed",
    "A proof opens one door once.",
    forSite("B1"),
    refusedProven("CHALLENGE_UNKNOWN", proven(ofSite.id)),
    state({ challenges: [] }),
  ),
  vector(
    "spent-door",
    "Each door opens once for one token.",
    forSite("B1"),
    refusedProven("SPENT", proven(ofSite.id)),
    state({ spent: [`${ofSite.id}/B1`] }),
  ),
  vector(
    "spent-other-door",
    "A token spent at one door is not spent at another.",
    forSite("B1"),
    opens(proven(ofSite.id)),
    state({ spent: [`${ofSite.id}/A1`] }),
  ),
  vector(
    "grace",
    "A door that fell shut opens once more.",
    forSite("B1"),
    opens(proven(ofSite.id), undefined, true),
    state({ spent: [`${ofSite.id}/B1`], visits: [visit({ credential_id: `${ofSite.id}/B1`, reservation_id: "" })] }),
  ),
  vector(
    "revoked",
    "A revoked token for SERVICE opens nothing.",
    forSite("B1"),
    refusedProven("REVOKED", proven(ofSite.id)),
    state({ revoked }),
  ),
  vector("revoked-other", "Another token still opens.", forDoor, opens(proven(ofDoor.id, reservationId)), state({ revoked })),
  vector(
    "revoked-grace",
    "Revocation ends its grace period.",
    forSite("B1"),
    refusedProven("REVOKED", proven(ofSite.id)),
    state({ spent: [`${ofSite.id}/B1`], visits: [visit({ credential_id: `${ofSite.id}/B1`, reservation_id: "" })], revoked }),
  ),
  vector(
    "presence-before-revoked",
    "A missing presence proof takes precedence over a revocation.",
    { token: ofSite.token, compartment_id: "B1" },
    refusedProven("PRESENCE_MISSING", proven(ofSite.id)),
    state({ revoked }),
  ),
  vector(
    "revoked-by-site",
    "The site's list of revocations applies to SERVICE only.",
    { token: token({}, "petak-collect") },
    opens({ act: "COLLECT" }),
    state({ inside: [reservationId], revoked: [{ site_id: siteId, credential_hash: hashOf(tokenClaims.jti) }] }),
  ),
  claims("with-size-class", "A token for SERVICE has no size class.", { sz: 0 }),
  claims("door-too-long", "A door's name has at most 16 characters.", { sub: "A".repeat(17) }),
  claims("door-foreign-letter", "A door's name has letters, digits, - and _.", { sub: "A/1" }),
  claims("door-number", "A door's name is a string.", { sub: 7 }),
];

import type { CredentialVector, VectorState } from "../../vectors/credential-vector.ts";
import {
  bundleClaims,
  bundleId,
  bundleToken,
  claims,
  early,
  earlyClaims,
  hashOf,
  lastSiteId,
  nowMs,
  opens,
  otherReservationId,
  otherSiteId,
  type Proven,
  refused,
  refusedProven,
  reservationId,
  skewS,
  token,
  tokenIdNamed,
  vector,
  visit,
} from "./scene.ts";
import { audienceOf } from "./site-audience.ts";

const recipientId = tokenIdNamed("the recipient's token");
const delegate = { token: token({}, "petak-delegate") };
const recipient = { token: token({ jti: recipientId }, "petak-collect") };
const shown = (changes: Proven = {}): Proven => ({ act: "COLLECT", delegated: true, ...changes });
const ofRecipient: Proven = { act: "COLLECT", credentialId: recipientId };
const inside = (changes: Partial<VectorState> = {}) => ({ state: { inside: [reservationId], ...changes } });
const revoked = [{ reservation_id: reservationId, credential_hash: hashOf(claims.jti) }];

/** Delegated credentials, and revocation of any credential. */
export const delegates: CredentialVector[] = [
  vector(
    "good",
    "A delegate's token opens the door of the recipient's parcel, and says that it is a delegate's.",
    delegate,
    opens(shown()),
    inside(),
  ),
  vector(
    "longest-site",
    "The longest token there can be, of 318 characters.",
    { token: token({ aud: audienceOf(lastSiteId) }, "petak-delegate") },
    opens(shown()),
    {
      site_id: lastSiteId,
      ...inside(),
    },
  ),
  vector(
    "bundle",
    "A delegate's token of a bundle opens the bundle's doors.",
    { token: bundleToken({}, "petak-delegate") },
    opens(shown({ bundleId, next: [otherReservationId] })),
    {
      state: {
        inside: [reservationId, otherReservationId],
        bundles: [{ bundle_id: bundleId, reservation_ids: [reservationId, otherReservationId] }],
      },
    },
  ),
  vector(
    "bundle-longest-site",
    "The longest delegate's token of a bundle.",
    { token: bundleToken({ aud: audienceOf(lastSiteId) }, "petak-delegate") },
    opens(shown({ bundleId, next: [] })),
    {
      site_id: lastSiteId,
      state: { inside: [reservationId], bundles: [{ bundle_id: bundleId, reservation_ids: [reservationId] }] },
    },
  ),
  vector("no-deposit", "It opens no empty place.", delegate, refusedProven("NOT_DEPOSITED", shown())),
  vector("other-reservation", "It opens for no other reservation.", delegate, refusedProven("NOT_DEPOSITED", shown()), {
    state: { inside: [otherReservationId] },
  }),
  vector(
    "other-site",
    "It opens at no other site.",
    { token: token({ aud: audienceOf(otherSiteId) }, "petak-delegate") },
    refusedProven("SITE", shown()),
    inside(),
  ),
  vector("once", "It opens once.", delegate, refusedProven("SPENT", shown()), inside({ spent: [claims.jti] })),
  vector("replay-after-reboot", "After a restart too.", delegate, refusedProven("SPENT", shown()), {
    now_ms: nowMs + 600_000,
    ...inside({ spent: [claims.jti] }),
  }),
  vector("expired", "Its end is its own.", delegate, refusedProven("EXPIRED", shown()), {
    now_ms: (claims.exp + skewS) * 1000,
    ...inside(),
  }),
  vector("not-yet-valid", "Its beginning too.", delegate, refusedProven("NOT_YET_VALID", shown()), {
    now_ms: (claims.nbf - skewS) * 1000 - 1,
    ...inside(),
  }),
  vector(
    "recipient-after-delegate",
    "When the delegate has the parcel, the recipient's token has none to open for.",
    recipient,
    refusedProven("NOT_DEPOSITED", ofRecipient),
    { state: { spent: [claims.jti] } },
  ),
  vector(
    "delegate-after-recipient",
    "When the recipient has it, the delegate's has none.",
    delegate,
    refusedProven("NOT_DEPOSITED", shown()),
    { state: { spent: [recipientId] } },
  ),
  vector(
    "recipient-meanwhile",
    "While the delegate's door is open the recipient's token opens none.",
    recipient,
    refusedProven("IN_USE", ofRecipient),
    inside({ spent: [claims.jti], visits: [visit({ phase: "OPEN" })] }),
  ),
  vector(
    "grace",
    "A delegate has the same grace.",
    delegate,
    opens(shown(), undefined, true),
    inside({ spent: [claims.jti], visits: [visit()] }),
  ),
  vector("revoked", "A delegate's token that was revoked opens nothing.", delegate, refusedProven("REVOKED", shown()), inside({ revoked })),
  vector("recipient-not-revoked", "The recipient's opens still.", recipient, opens(ofRecipient), inside({ revoked })),
  vector(
    "revoked-grace",
    "Revocation ends its grace period.",
    delegate,
    refusedProven("REVOKED", shown()),
    inside({ spent: [claims.jti], visits: [visit()], revoked }),
  ),
  vector(
    "revoked-before-spent",
    "It is said before that it is spent.",
    delegate,
    refusedProven("REVOKED", shown()),
    inside({ spent: [claims.jti], revoked }),
  ),
  vector("expired-before-revoked", "And after its times.", delegate, refusedProven("EXPIRED", shown()), {
    now_ms: (claims.exp + skewS) * 1000,
    ...inside({ revoked }),
  }),
  vector("revoked-deposit", "Any token can be revoked.", { token: token() }, refusedProven("REVOKED"), { state: { revoked } }),
  vector(
    "revoked-elsewhere",
    "It is revoked by its own reservation's list: another's names nothing of it.",
    delegate,
    opens(shown()),
    inside({ revoked: [{ reservation_id: otherReservationId, credential_hash: hashOf(claims.jti) }] }),
  ),
  vector(
    "revoked-by-bundle",
    "Nor does a bundle's.",
    delegate,
    opens(shown()),
    inside({
      bundles: [{ bundle_id: bundleId, reservation_ids: [reservationId] }],
      revoked: [{ bundle_id: bundleId, credential_hash: hashOf(claims.jti) }],
    }),
  ),
  vector(
    "bundle-revoked-by-reservation",
    "And a reservation's names nothing of a bundle.",
    { token: bundleToken() },
    opens({ act: "COLLECT", bundleId, next: [] }),
    inside({
      bundles: [{ bundle_id: bundleId, reservation_ids: [reservationId] }],
      revoked: [{ reservation_id: reservationId, credential_hash: hashOf(bundleClaims.jti) }],
    }),
  ),
  vector(
    "claim-of-parent",
    "It names no parent: an unknown claim is refused.",
    { token: token({ ...earlyClaims, par: "Zm9v" }, "petak-delegate") },
    refused("CLAIMS"),
    {
      ...early,
      ...inside(),
    },
  ),
];

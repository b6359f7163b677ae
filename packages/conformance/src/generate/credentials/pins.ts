import type { CredentialVector, VectorLockOut, VectorState } from "../../vectors/credential-vector.ts";
import { base64url, hmac, sha256 } from "../signing.ts";
import {
  bundle,
  type Changes,
  hourS,
  noLockOut,
  nowMs,
  nowS,
  opens,
  otherReservationId,
  pin,
  pinKey,
  refused,
  refusedProven,
  reservationId,
  skewS,
  token,
  vector,
  visit,
} from "./scene.ts";

/** The site's id of the PIN: its keyed hash. */
export const pinId = base64url(hmac(pinKey, pin));
const [beginS, endS] = [nowS - hourS, nowS + hourS];
const known = { reservation_id: reservationId, hash: pinId, not_before_ms: beginS * 1000, expires_at_ms: endS * 1000 };
const others = ["11111111", "22222222", "33333333"].map((text) => ({
  ...known,
  reservation_id: otherReservationId,
  hash: base64url(hmac(pinKey, text)),
}));
const proven = { act: "COLLECT", credentialId: pinId };

/** A site that waits for the PIN. */
export const waiting: Partial<VectorState> = {
  pins: [...others.slice(0, 2), known, ...others.slice(2)],
  inside: [reservationId, otherReservationId],
};

const shown = { pin };
const unknown = { pin: "40404041" };
const state = (changes: Partial<VectorState> = {}): Partial<VectorState> => ({ ...waiting, ...changes });
/** The lock-out after a first wrong PIN. */
const once = (atMs = nowMs): VectorLockOut => ({ failures: 1, last_failure_ms: atMs, locked_until_ms: atMs });
const counted = (failures: number): VectorLockOut => ({ failures, last_failure_ms: nowMs - 60_000, locked_until_ms: nowMs - 60_000 });
const atMs = (now_ms: number, changes: Changes = {}): Changes => ({ state: state(), now_ms, ...changes });
const malformed = (id: string, shows: string, text: string) =>
  vector(id, shows, { pin: text }, refused("PIN_MALFORMED"), { state: state() });

/** PINs one by one. */
export const pins: CredentialVector[] = [
  vector("good", "A PIN is found by its keyed hash: HMAC-SHA-256 of its eight ASCII digits under the site's key.", shown, opens(proven), {
    state: state(),
  }),
  vector("bundle-expired", "A PIN needs no issuer key: it opens after the trust bundle's end.", shown, opens(proven), {
    state: state(),
    trust_bundle: { ...bundle, not_after_ms: nowMs - 1000 },
  }),
  malformed("empty", "An empty PIN is malformed and not counted.", ""),
  malformed("seven-digits", "Seven digits are no PIN.", "4040404"),
  malformed("nine-digits", "Nine digits are no PIN.", "404040400"),
  malformed("letter", "A letter is not a digit.", "4040404O"),
  malformed("space", "Spaces are not ignored.", "4040 4040"),
  malformed("newline", "A newline after the digits is not ignored.", "40404040\n"),
  malformed("sign", "A sign is not a digit.", "+4040404"),
  malformed("arabic-digits", "Only ASCII digits are accepted.", "٤٠٤٠٤٠٤٠"),
  malformed("fullwidth-digits", "Full-width digits are refused.", "４０４０４０４０"),
  vector("unknown", "An unknown PIN is refused and counted.", unknown, refused("PIN_UNKNOWN", once()), { state: state() }),
  vector("no-pins", "At a site without PINs, every PIN is unknown.", shown, refused("PIN_UNKNOWN", once())),
  vector("other-site", "Each site has its own key, so a hash of another site does not match.", shown, refused("PIN_UNKNOWN", once()), {
    state: state(),
    pin_key: base64url(sha256("petak test vectors: another site's pin_key")),
  }),
  vector("plain-hash", "A plain SHA-256 of the PIN does not match.", shown, refused("PIN_UNKNOWN", once()), {
    state: state({ pins: [{ ...known, hash: base64url(sha256(pin)) }] }),
  }),
  vector(
    "number-hash",
    "The digits are hashed, not the number: 01234567 is not 1234567.",
    { pin: "01234567" },
    refused("PIN_UNKNOWN", once()),
    {
      state: state({ pins: [{ ...known, hash: base64url(hmac(pinKey, "1234567")) }] }),
    },
  ),
  vector(
    "leading-zeros",
    "Leading zeros are significant.",
    { pin: "00000007" },
    opens({ act: "COLLECT", credentialId: base64url(hmac(pinKey, "00000007")) }),
    {
      state: state({ pins: [{ ...known, hash: base64url(hmac(pinKey, "00000007")) }] }),
    },
  ),
  vector("at-begin-less-skew", "A PIN opens from its start minus the skew.", shown, opens(proven), atMs((beginS - skewS) * 1000)),
  vector(
    "before-begin-less-skew",
    "A millisecond before that it does not, and counts as a wrong one.",
    shown,
    refusedProven("PIN_NOT_YET_VALID", proven, once((beginS - skewS) * 1000 - 1)),
    atMs((beginS - skewS) * 1000 - 1),
  ),
  vector("before-end-plus-skew", "A PIN opens until its end plus the skew.", shown, opens(proven), atMs((endS + skewS) * 1000 - 1)),
  vector(
    "at-end-plus-skew",
    "At its end plus the skew it has expired, and counts as a wrong one.",
    shown,
    refusedProven("PIN_EXPIRED", proven, once((endS + skewS) * 1000)),
    atMs((endS + skewS) * 1000),
  ),
  vector(
    "lost-clock-before-end",
    "While the clock is lost a PIN opens up to the last millisecond before its end.",
    shown,
    opens(proven),
    atMs(endS * 1000 - 1, { clock_trusted: false }),
  ),
  vector(
    "lost-clock-at-end",
    "While the clock is lost its end gets no skew.",
    shown,
    refusedProven("PIN_EXPIRED", proven, once(endS * 1000)),
    atMs(endS * 1000, { clock_trusted: false }),
  ),
  vector("spent", "A PIN opens once, and counts as a wrong one afterwards.", shown, refusedProven("SPENT", proven, once()), {
    state: state({ spent: [pinId] }),
  }),
  vector(
    "grace",
    "If the parcel is still inside, it opens the same door again, without subtracting a wrong PIN.",
    shown,
    opens(proven, counted(3), true),
    {
      state: state({ spent: [pinId], visits: [visit({ credential_id: pinId })], lock_out: counted(3) }),
    },
  ),
  vector(
    "not-deposited",
    "A PIN whose parcel is not inside yet opens nothing, and counts as a wrong one.",
    shown,
    refusedProven("NOT_DEPOSITED", proven, once()),
    { state: state({ inside: [] }) },
  ),
  vector(
    "reservation-over",
    "A PIN of an ended reservation opens nothing, and counts as a wrong one.",
    shown,
    refusedProven("RESERVATION_STATE", proven, once()),
    { state: state({ over: [reservationId] }) },
  ),
  vector("not-booted", "A terminal that has never reached its gateway knows no PIN, and counts none.", shown, refused("NOT_BOOTED"), {
    trust_bundle: null,
    pin_key: null,
  }),
  vector("takes-one-back", "A right PIN subtracts one wrong one, not all.", shown, opens(proven, { ...counted(3), failures: 2 }), {
    state: state({ lock_out: counted(3) }),
  }),
  vector("takes-the-last-back", "A right PIN after one wrong one resets the state.", shown, opens(proven, noLockOut), {
    state: state({ lock_out: counted(1) }),
  }),
  vector("token-is-no-pin", "A token entered as a PIN is malformed.", { pin: token() }, refused("PIN_MALFORMED"), { state: state() }),
];

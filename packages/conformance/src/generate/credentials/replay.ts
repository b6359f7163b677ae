import type { CredentialVector } from "../../vectors/credential-vector.ts";
import { claims, nowMs, opens, otherReservationId, refusedProven, reservationId, token, tokenIdNamed, vector, visit } from "./scene.ts";

const good = { token: token() };
const second = tokenIdNamed("a second token of the reservation");
const spent = [claims.jti];
const spentWith = (changes: Parameters<typeof visit>[0]) => ({ state: { spent, visits: [visit(changes)] } });

/** Each credential once: what is spent, and the one grace. */
export const replay: CredentialVector[] = [
  vector("spent", "A token that was spent opens nothing.", good, refusedProven("SPENT"), { state: { spent } }),
  vector(
    "spent-after-reboot",
    "After a restart of the terminal, with all its memory but what is on disk gone, it opens nothing either.",
    good,
    refusedProven("SPENT"),
    {
      clock_trusted: true,
      now_ms: nowMs + 600_000,
      state: { spent },
    },
  ),
  vector("spent-collect", "A collection happens once.", { token: token({}, "petak-collect") }, refusedProven("SPENT", { act: "COLLECT" }), {
    state: { spent, inside: [reservationId] },
  }),
  vector("spent-before-reservation", "A spent token takes precedence over the reservation's state.", good, refusedProven("SPENT"), {
    state: { spent, over: [reservationId] },
  }),
  vector("spent-other", "Another token's being spent is nothing to this one.", good, opens(), { state: { spent: [second] } }),
  vector(
    "second-token",
    "A second token of the reservation opens for itself.",
    { token: token({ jti: second }) },
    opens({ credentialId: second }),
    { state: { spent } },
  ),
  vector(
    "second-token-after-collection",
    "Once the terminal has seen the parcel taken, no other token of the reservation lets another in, whatever the gateway has heard.",
    { token: token({ jti: second }) },
    refusedProven("RESERVATION_STATE", { credentialId: second }),
    { state: { spent, ended: [reservationId] } },
  ),
  vector("second-token-of-another-after-collection", "The end of one reservation does not affect others.", good, opens(), {
    state: { ended: [otherReservationId] },
  }),
  vector(
    "second-collection",
    "Nor does another token to collect open where a parcel was.",
    { token: token({ jti: second }, "petak-collect") },
    refusedProven("RESERVATION_STATE", { act: "COLLECT", credentialId: second }),
    { state: { spent, ended: [reservationId] } },
  ),
  vector(
    "second-token-after-collection-in-grace",
    "The token that opened last may still open its door once more: its outcome is open.",
    good,
    opens({}, undefined, true),
    { state: { spent, ended: [otherReservationId], visits: [visit({})] } },
  ),
  vector(
    "spent-is-by-id",
    "Two tokens with one id are one: the second is spent with the first.",
    { token: token({ sz: 1 }) },
    refusedProven("SPENT"),
    { state: { spent } },
  ),
  vector(
    "grace",
    "While the door is closed again and no parcel was seen, the same token opens the same door again.",
    good,
    opens({}, undefined, true),
    spentWith({}),
  ),
  vector("grace-twice", "It does so a second time.", good, opens({}, undefined, true), spentWith({ reopenings: 1 })),
  vector("grace-thrice", "It does not a third time.", good, refusedProven("SPENT"), spentWith({ reopenings: 2 })),
  vector(
    "grace-after-power-cut",
    "After a power cut between spending and opening, the token opens again.",
    good,
    opens({}, undefined, true),
    spentWith({ phase: "OPENING" }),
  ),
  vector(
    "grace-last-millisecond",
    "The grace lasts up to its last millisecond.",
    good,
    opens({}, undefined, true),
    spentWith({ grace_until_ms: nowMs + 1 }),
  ),
  vector("grace-over", "After it the token is spent.", good, refusedProven("SPENT"), spentWith({ grace_until_ms: nowMs })),
  vector("door-open", "While the door is open, the token is spent.", good, refusedProven("SPENT"), spentWith({ phase: "OPEN" })),
  vector(
    "grace-of-another",
    "Another token of the reservation opens no second door meanwhile.",
    { token: token({ jti: second }) },
    refusedProven("IN_USE", { credentialId: second }),
    spentWith({}),
  ),
  vector("grace-elsewhere", "The open door of another reservation is nothing to this one.", good, opens(), {
    state: { visits: [visit({ credential_id: second, reservation_id: otherReservationId })] },
  }),
  vector("grace-is-no-life", "The grace does not lengthen a token's life.", good, refusedProven("EXPIRED"), {
    now_ms: (claims.exp + 300) * 1000,
    state: { spent, visits: [visit({ grace_until_ms: (claims.exp + 400) * 1000 })] },
  }),
];

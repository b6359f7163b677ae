import type { CredentialVector } from "../../vectors/credential-vector.ts";
import type { Changes } from "./scene.ts";
import { claims, hourS, nowMs, nowS, opens, otherSiteId, refusedProven, skewS, token, vector } from "./scene.ts";
import { audienceOf } from "./site-audience.ts";

const { nbf, exp } = claims;
const good = { token: token() };
const atMs = (now_ms: number, changes: Changes = {}): Changes => ({ now_ms, ...changes });
const exact = { max_skew_ms: 0 };

/** When a token is good, by a clock that can be trusted. */
export const times: CredentialVector[] = [
  vector("at-begin-less-skew", "A token opens from nbf less the skew on.", good, opens(), atMs((nbf - skewS) * 1000)),
  vector(
    "before-begin-less-skew",
    "A millisecond before that it does not.",
    good,
    refusedProven("NOT_YET_VALID"),
    atMs((nbf - skewS) * 1000 - 1),
  ),
  vector(
    "second-before-begin-less-skew",
    "A second before that it does not.",
    good,
    refusedProven("NOT_YET_VALID"),
    atMs((nbf - skewS - 1) * 1000),
  ),
  vector(
    "before-end-plus-skew",
    "A token opens up to the last millisecond before exp and the skew.",
    good,
    opens(),
    atMs((exp + skewS) * 1000 - 1),
  ),
  vector("at-end-plus-skew", "At exp and the skew it has expired.", good, refusedProven("EXPIRED"), atMs((exp + skewS) * 1000)),
  vector(
    "second-after-end-plus-skew",
    "A second after that it has expired.",
    good,
    refusedProven("EXPIRED"),
    atMs((exp + skewS + 1) * 1000),
  ),
  vector("at-begin", "Without a skew a token opens from nbf on.", good, opens(), atMs(nbf * 1000, exact)),
  vector(
    "before-begin",
    "Without a skew it does not open a millisecond before.",
    good,
    refusedProven("NOT_YET_VALID"),
    atMs(nbf * 1000 - 1, exact),
  ),
  vector("before-end", "Without a skew a token opens up to the last millisecond before exp.", good, opens(), atMs(exp * 1000 - 1, exact)),
  vector("at-end", "Without a skew it has expired at exp.", good, refusedProven("EXPIRED"), atMs(exp * 1000, exact)),
  vector(
    "site-before-expiry",
    "Another site takes precedence over expiry.",
    { token: token({ aud: audienceOf(otherSiteId) }) },
    refusedProven("SITE"),
    atMs((exp + hourS) * 1000),
  ),
];

const lost: Changes = { clock_trusted: false };
const begins = (beginS: number, endS = nowS + hourS) => ({ token: token({ nbf: beginS, exp: endS }) });

/** When a token is good while the clock is lost: now_ms is the latest time that has certainly passed. */
export const lostClock: CredentialVector[] = [
  vector("fresh", "A token that began just before the latest known time opens.", begins(nowS - 60), opens(), lost),
  vector("oldest", "The oldest token that opens began one skew before the latest known time.", begins(nowS - skewS), opens(), lost),
  vector(
    "older",
    "A token that began a second earlier may have expired since, and does not open.",
    begins(nowS - skewS - 1),
    refusedProven("CLOCK_UNTRUSTED"),
    lost,
  ),
  vector("older-trusted", "With a clock that can be trusted the same token opens.", begins(nowS - skewS - 1), opens()),
  vector("youngest", "A token that begins one skew after the latest known time opens.", begins(nowS + skewS), opens(), lost),
  vector("younger", "A token that begins a second later does not.", begins(nowS + skewS + 1), refusedProven("NOT_YET_VALID"), lost),
  vector("before-end", "Expiry gets no skew: a token opens up to the last millisecond before exp.", begins(nowS - 60, nowS + 60), opens(), {
    ...lost,
    now_ms: (nowS + 60) * 1000 - 1,
  }),
  vector("at-end", "At exp it has expired, though the skew would allow for more.", begins(nowS - 60, nowS), refusedProven("EXPIRED"), lost),
  vector(
    "expired-before-untrusted",
    "Certain expiry takes precedence over an untrusted clock.",
    begins(nowS - hourS, nowS - 60),
    refusedProven("EXPIRED"),
    lost,
  ),
  vector("spent-before-the-power-cut", "A spent token stays spent after a power cut.", begins(nowS - 60), refusedProven("SPENT"), {
    ...lost,
    state: { spent: [claims.jti] },
  }),
  vector("at-the-floor", "A clock that shows the very time that has passed is a time like any other.", begins(nowMs / 1000), opens(), lost),
];

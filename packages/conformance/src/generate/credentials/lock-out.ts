import type { CredentialVector, VectorLockOut, VectorState } from "../../vectors/credential-vector.ts";
import { pinId, waiting } from "./pins.ts";
import { claims, noLockOut, nowMs, opens, pin, refused, refusedProven, token, vector } from "./scene.ts";

const wrong = { pin: "99999999" };
const right = { pin };
const proven = { act: "COLLECT", credentialId: pinId };
const hourMs = 3_600_000;
const state = (lock_out: VectorLockOut): Partial<VectorState> => ({ ...waiting, lock_out });

/** How long the n-th wrong PIN locks, in s, from the first on. */
const scheduleS = [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900];
const ordinals = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"];

/** Wrong PINs one after another, each at the moment at which the lock-out of the one before has ended. */
function schedule(): CredentialVector[] {
  let lockOut = noLockOut;
  let atMs = nowMs;
  return scheduleS.map((lockedS, index) => {
    const after = { failures: index + 1, last_failure_ms: atMs, locked_until_ms: atMs + lockedS * 1000 };
    const cost = lockedS === 0 ? "costs nothing" : `locks all PINs of the site for ${lockedS} s`;
    const made = vector(`wrong-${index + 1}`, `The ${ordinals[index]} wrong PIN ${cost}.`, wrong, refused("PIN_UNKNOWN", after), {
      now_ms: atMs,
      state: state(lockOut),
    });
    lockOut = after;
    atMs = after.locked_until_ms;
    return made;
  });
}

const locked: VectorLockOut = { failures: 7, last_failure_ms: nowMs - 60_000, locked_until_ms: nowMs + 60_000 };
const endMs = locked.locked_until_ms;
const tenth: VectorLockOut = { failures: 10, last_failure_ms: nowMs, locked_until_ms: nowMs + 900_000 };

/** Wrong PINs of all the site together. */
export const lockOut: CredentialVector[] = [
  ...schedule(),
  vector(
    "right-pin-while-locked",
    "While PINs are locked the right one is not looked at, and nothing is counted.",
    right,
    refused("LOCKED_OUT", locked),
    { state: state(locked) },
  ),
  vector("wrong-pin-while-locked", "A wrong one then does not lengthen the lock-out.", wrong, refused("LOCKED_OUT", locked), {
    state: state(locked),
  }),
  vector("after-reboot", "A lock-out outlasts a restart: it is on the disk.", right, refused("LOCKED_OUT", locked), {
    state: state(locked),
    clock_trusted: false,
  }),
  vector(
    "malformed-while-locked",
    "A malformed PIN is reported as malformed also while PINs are locked.",
    { pin: "1234" },
    refused("PIN_MALFORMED", locked),
    { state: state(locked) },
  ),
  vector("last-millisecond", "A lock-out lasts up to its last millisecond.", right, refused("LOCKED_OUT", locked), {
    state: state(locked),
    now_ms: endMs - 1,
  }),
  vector("at-its-end", "At its end the right PIN opens, and takes one wrong one back.", right, opens(proven, { ...locked, failures: 6 }), {
    state: state(locked),
    now_ms: endMs,
  }),
  vector(
    "token-while-locked",
    "Token holders are not touched: a token opens while PINs are locked, and changes nothing of the lock-out.",
    { token: token({}, "petak-collect") },
    opens({ act: "COLLECT" }, locked),
    { state: state(locked) },
  ),
  vector("deposit-while-locked", "Nor are those who deposit.", { token: token() }, opens({}, locked), { state: { lock_out: locked } }),
  vector("bad-token-counts-nothing", "A refused token does not count as a wrong PIN.", { token: "x" }, refused("MALFORMED", locked), {
    state: state(locked),
  }),
  vector(
    "spent-token-counts-nothing",
    "Nor is a spent token.",
    { token: token({}, "petak-collect") },
    refusedProven("SPENT", { act: "COLLECT" }, locked),
    {
      state: { ...state(locked), spent: [claims.jti] },
    },
  ),
  vector(
    "hour-less-a-millisecond",
    "Wrong PINs are remembered for an hour less a millisecond.",
    wrong,
    refused("PIN_UNKNOWN", { failures: 11, last_failure_ms: nowMs + hourMs - 1, locked_until_ms: nowMs + hourMs - 1 + 900_000 }),
    {
      now_ms: nowMs + hourMs - 1,
      state: state(tenth),
    },
  ),
  vector(
    "quiet-hour",
    "After an hour without a wrong PIN the count begins anew.",
    wrong,
    refused("PIN_UNKNOWN", { failures: 1, last_failure_ms: nowMs + hourMs, locked_until_ms: nowMs + hourMs }),
    {
      now_ms: nowMs + hourMs,
      state: state(tenth),
    },
  ),
  vector("longest", "The longest lock-out is one.", right, refused("LOCKED_OUT", tenth), { state: state(tenth) }),
];

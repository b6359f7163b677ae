import type { IssuerKeyPair } from "@petak/credential";
import { announcementMs, epochInForce, type IssuerEpochs, retirementMs } from "./issuer-epochs.ts";

/** A rotation that would leave a time at which good tokens do not open. The message says what is in the way and the earliest time. */
export class RotationRefusedError extends Error {
  override readonly name = "RotationRefusedError";
  /** The earliest time for what was wanted, in ms. */
  readonly earliestMs: number;

  constructor(message: string, earliestMs: number) {
    super(message);
    this.earliestMs = earliestMs;
  }
}

/**
 * When the next rotation may be announced, in ms: at once, or when agents rely on no key any more but the one in force. Until then a trust
 * bundle would have three epochs.
 */
export function earliestAnnouncementMs([first, second]: IssuerEpochs, nowMs: number): number {
  return second === undefined ? nowMs : Math.max(nowMs, first.notAfterMs ?? nowMs);
}

/** When a key that is announced at a time can sign first, in ms: a whole second. */
export function earliestSigningMs(announcedAtMs: number): number {
  return Math.ceil((announcedAtMs + announcementMs) / 1000) * 1000;
}

/**
 * The epochs after the announcement of a key: the epoch in force, with its end, and the one of the key. An epoch before is dropped.
 *
 * @param signsFromMs when the key is to sign first, in ms. Undefined: as early as it can
 * @throws {RotationRefusedError} where agents rely on an epoch before still, or would have to rely on the key before they all know it.
 */
export function announceKey(epochs: IssuerEpochs, key: IssuerKeyPair, nowMs: number, signsFromMs?: number): IssuerEpochs {
  const [first] = epochs;
  const announceableMs = earliestAnnouncementMs(epochs, nowMs);
  if (announceableMs > nowMs) {
    throw new RotationRefusedError(
      `agents rely on the key ${first.key.keyId} of the epoch before until ${isoOf(announceableMs)}; the next rotation can be announced from then on`,
      announceableMs,
    );
  }
  const earliestMs = earliestSigningMs(nowMs);
  const wantedMs = signsFromMs ?? earliestMs;
  if (wantedMs < earliestMs) {
    throw new RotationRefusedError(
      `a key that is announced now can sign from ${isoOf(earliestMs)} on, when every agent that opens doors knows it, and not from ${isoOf(wantedMs)}`,
      earliestMs,
    );
  }
  const startMs = Math.ceil(wantedMs / 1000) * 1000;
  const inForce = epochInForce(epochs, nowMs);
  return [
    { ...inForce, notAfterMs: startMs + retirementMs },
    { key, announcedAtMs: nowMs, signsFromMs: startMs },
  ];
}

/** A time in ms as people write it. */
function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(".000Z", "Z");
}

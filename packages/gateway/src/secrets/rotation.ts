import type { IssuerKeyPair } from "@petak/credential";
import { announcementMs, epochInForce, type IssuerEpochs, retirementMs } from "./issuer-epochs.ts";

/** A rotation would cause a period in which valid tokens do not open. The message has the reason and the earliest possible time. */
export class RotationRefusedError extends Error {
  override readonly name = "RotationRefusedError";
  /** The earliest possible time, in ms. */
  readonly earliestMs: number;

  constructor(message: string, earliestMs: number) {
    super(message);
    this.earliestMs = earliestMs;
  }
}

/**
 * When the next rotation may be announced, in ms: when agents trust only the key in force. Earlier, a trust bundle would have three epochs.
 */
export function earliestAnnouncementMs([first, second]: IssuerEpochs, nowMs: number): number {
  return second === undefined ? nowMs : Math.max(nowMs, first.notAfterMs ?? nowMs);
}

/** When a key that is announced at a time may start to sign, in ms: a whole second. */
export function earliestSigningMs(announcedAtMs: number): number {
  return Math.ceil((announcedAtMs + announcementMs) / 1000) * 1000;
}

/**
 * The epochs after the announcement of a key: the epoch in force with its end, and the epoch of the new key. An earlier epoch is dropped.
 *
 * @param signsFromMs when the key starts to sign, in ms. Undefined: as early as possible
 * @throws {RotationRefusedError} if agents still trust an earlier epoch, or the key would sign before all agents know it.
 */
export function announceKey(epochs: IssuerEpochs, key: IssuerKeyPair, nowMs: number, signsFromMs?: number): IssuerEpochs {
  const [first] = epochs;
  const announceableMs = earliestAnnouncementMs(epochs, nowMs);
  if (announceableMs > nowMs) {
    throw new RotationRefusedError(
      `agents trust the key ${first.key.keyId} of the previous epoch until ${isoOf(announceableMs)}; the next rotation can be announced from then on`,
      announceableMs,
    );
  }
  const earliestMs = earliestSigningMs(nowMs);
  const wantedMs = signsFromMs ?? earliestMs;
  if (wantedMs < earliestMs) {
    throw new RotationRefusedError(
      `a key that is announced now can sign from ${isoOf(earliestMs)} on, when all agents know it, and not from ${isoOf(wantedMs)}`,
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

/** A time in RFC 3339, without zero milliseconds. */
function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(".000Z", "Z");
}

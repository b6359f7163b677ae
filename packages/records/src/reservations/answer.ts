import type { ScriptArgument } from "@petak/redis";

/** What a mutation answers, so that its repetition is answered the same. */
export interface Answer {
  participantId: string;
  /** UUID of the request. */
  requestId: string;
  /** The first 16 bytes of the SHA-256 of the request's body. */
  fingerprint: Buffer;
  /** The answer's message. */
  bytes: Uint8Array;
}

/** How long answers are remembered. The protocol promises 24 h; an hour more covers clocks that differ. */
export const answerTtlMs = 25 * 3_600_000;

const fingerprintBytes = 16;
const answerKind = "A".charCodeAt(0);

/** Fingerprint, time to live and answer, as the scripts take them. */
export function answerArguments(answer: Answer | undefined): ScriptArgument[] {
  if (answer === undefined) return ["", 0, ""];
  return [answer.fingerprint, answerTtlMs, Buffer.from(answer.bytes)];
}

/** The answer in a record as lua/includes/answers.lua writes it; undefined where it remembers something else than an answer. */
export function answerIn(record: Buffer): Buffer | undefined {
  return record[fingerprintBytes] === answerKind ? record.subarray(fingerprintBytes + 1) : undefined;
}

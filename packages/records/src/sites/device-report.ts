/** What a gateway saw when it allowed an agent's call. What the call writes is written only while it still stands. */
export interface AgentFence {
  /** The nonce of the epoch that the agent names: 16 bytes. Empty: it names none. */
  nonce: Uint8Array;
  /** The key of the device that was in charge of the site. "": none was ever enrolled. */
  inChargeKeyId: string;
}

/** A device whose call was allowed. */
export interface Device {
  siteId: string;
  keyId: string;
  fence: AgentFence;
}

/** A fence in the form that lua/includes/report-watermark.lua reads. */
export function fenceBytes({ nonce, inChargeKeyId }: AgentFence): Buffer {
  return Buffer.concat([withLength(nonce), withLength(Buffer.from(inChargeKeyId))]);
}

function withLength(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/** A device's report that is recorded together with what it causes. */
export interface DeviceReport {
  siteId: string;
  /** The agent's key. Each key has its own sequence. */
  keyId: string;
  /** Its sequence number, from 1. */
  sequence: number;
  /** Its hash: 32 bytes. */
  hash: Uint8Array;
  /** The hash that it names of the report before it: 32 bytes. Empty: it is not chained. */
  previousHash: Uint8Array;
  fence: AgentFence;
}

/** What kept a report from being recorded: nothing has changed, except that a fork is noted. */
export type ReportObstacle =
  /** It was recorded before. */
  | { tag: "seen"; watermark: number }
  /** Reports of the device before this one are missing. */
  | { tag: "gap"; watermark: number }
  /** It is not chained, and earlier reports were. */
  | { tag: "unchained"; watermark: number }
  /** Another agent has taken the place of this one since its call was allowed. */
  | { tag: "fenced"; watermark: number }
  /** The device's reports have forked. This one is kept apart. */
  | { tag: "fork"; watermark: number }
  /** The same, and so many are kept apart that this one is not. */
  | { tag: "fork_full"; watermark: number };

const obstacles = new Set(["seen", "gap", "unchained", "fenced", "fork", "fork_full"]);

/** The obstacle that a script returned, or undefined if it returned another tag. */
export function obstacleOf(tag: unknown, value: unknown): ReportObstacle | undefined {
  return obstacles.has(String(tag)) ? ({ tag: String(tag), watermark: Number(value) } as ReportObstacle) : undefined;
}

/** A report's hashes and its fence in the form that lua/includes/report-watermark.lua reads. */
export function reportLink({ hash, previousHash, fence }: Pick<DeviceReport, "hash" | "previousHash" | "fence">): Buffer {
  return Buffer.concat([hash, withLength(previousHash), fenceBytes(fence)]);
}

/** How far the reports of a device are recorded. */
export interface Watermark {
  /** The sequence number of the last recorded report. 0: none. */
  sequence: number;
  /** The hash of that report: 32 bytes. Empty: it is not known, since an earlier release recorded it, or there is none. */
  hash: Uint8Array;
  /** Whether the reports have forked, so that no more are recorded. */
  hasForked: boolean;
}

const forkedFlag = 2;

/** Reads a watermark, see lua/includes/report-watermark.lua. */
export function decodeWatermark(bytes: Buffer | null): Watermark {
  if (bytes === null) return { sequence: 0, hash: new Uint8Array(), hasForked: false };
  const end = bytes.indexOf(" ");
  const sequence = Number(bytes.toString("latin1", 0, end < 0 ? undefined : end));
  const isHashed = end >= 0;
  return {
    sequence,
    hash: isHashed ? new Uint8Array(bytes.subarray(end + 2, end + 34)) : new Uint8Array(),
    hasForked: isHashed && ((bytes[end + 1] ?? 0) & forkedFlag) !== 0,
  };
}

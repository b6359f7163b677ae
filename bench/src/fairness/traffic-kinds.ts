/** What a hostile participant does beside the others, and what harmless clients do in its place. */
export const trafficKinds = {
  calls: "600 connections of one courier, valid calls without a pause",
  garbage: "64 connections with garbage for a token",
  forged: "64 connections with forged tokens of a real key",
  prefaces: "3,000 connections that send only the preface of HTTP/2",
} as const;

/** One of {@link trafficKinds}. */
export type TrafficKind = keyof typeof trafficKinds;

/** Connections of each kind. */
export const connectionsOf: Readonly<Record<TrafficKind, number>> = { calls: 600, garbage: 64, forged: 64, prefaces: 3000 };

/** Harmless couriers, each at an address of its own, who share the connections of a kind. */
export const harmlessCount = 30;

/** What the gateway of the bench announces. Authorization headers are valid for ten minutes. */
export interface FairnessFacts {
  port: number;
  /** Of the courier whose calls are measured, and what everybody can read of its key in a token. */
  courier: string;
  courierKey: { participantId: string; keyId: string; audience: string };
  /** Of the checkout whose calls are measured. */
  checkout: string;
  hostile: string;
  harmless: string[];
}

/** What the others found: times of an answer, in ms, and what was refused. */
export interface Latencies {
  p50Ms: number;
  p99Ms: number;
  calls: number;
  /** Calls that were not answered with HTTP 200. */
  refused: number;
}

/** What {@link file://./others.ts} prints. */
export interface OthersResult {
  reserve: Latencies;
  find: Latencies;
}

/** What {@link file://./traffic.ts} prints at its end. */
export interface TrafficResult {
  /** Requests that were answered or closed, a second. */
  requestsPerSecond: number;
}

import type { Level } from "./levels.ts";

/** What is measured, and what it is called. */
export const subjects = {
  gateway: "the gateway, by its calls",
  records: "the records, as a library",
  postgres: "PostgreSQL, as a library",
} as const;

/** Lives with so many clients, round after round. */
export interface LifeFigure {
  subject: keyof typeof subjects;
  level: Level;
  clients: number;
  livesPerSecond: number[];
  p50Ms: number[];
  p99Ms: number[];
  /** Processor time of the store for each life, in µs, of its replica and its background work too. */
  storeCpuMicros: number[];
  /** The same of the gateway, or of the process that uses the store as a library, clients and listener included. */
  workCpuMicros: number[];
}

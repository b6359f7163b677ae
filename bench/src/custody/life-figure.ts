import type { Level } from "./levels.ts";

/** The measured subjects, with their names. */
export const subjects = {
  gateway: "the gateway, by its calls",
  records: "the records, as a library",
  postgres: "PostgreSQL, as a library",
} as const;

/** Lives with a number of clients, round after round. */
export interface LifeFigure {
  subject: keyof typeof subjects;
  level: Level;
  clients: number;
  livesPerSecond: number[];
  p50Ms: number[];
  p99Ms: number[];
  /** Processor time of the store for each life, in µs, including its replica and its background work. */
  storeCpuMicros: number[];
  /** The same of the gateway, or of the process that uses the store as a library, including clients and listener. */
  workCpuMicros: number[];
}

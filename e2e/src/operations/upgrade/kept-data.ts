import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { KeyFile } from "@petak/client/node";
import type { Redis } from "ioredis";
import { loadKeys } from "./stored-keys.ts";

/** The facts of kept data of version 2 or 3. Messages are in base64 of their binary form, as the gateway returned them. */
export interface DataFacts {
  /** The gateway's clock when the data was copied, in ms. */
  atMs: number;
  prefix: string;
  sites: Record<"terminal" | "full" | "store", string>;
  /** The compartments of the terminal with a parcel. */
  occupied: string[];
  reservations: Record<ReservationName, { reservationId: string; reservation: string; chain?: string }>;
  /** A `Reserve` request and its response. */
  repeated: { request: { requestId: string; siteId: string; partnerReference: string }; response: string };
  /** Access tokens: to deposit the confirmed reservation, and to collect the deposited one. */
  credentials: { deposit: string; collect: string };
  /** A parcel deposited while the gateway could not be reached: its reports are only in the agent's database. */
  unreported: { reservationId: string };
  bundleId: string;
  endpointId: string;
  /** The courier's feed: the ids of all its events, and the cursor after the first five. */
  feed: { eventIds: string[]; cursor: string };
  keys: Record<"operator" | "courier" | "agent", KeyFile>;
}

/** The reservations by their state or kind. The first two are in the archive. */
export type ReservationName = "collected" | "rejected" | "held" | "hard" | "confirmed" | "deposited" | "queued" | "bundled";

/** The facts of kept data of version 1. */
export interface EarliestDataFacts extends Pick<DataFacts, "atMs" | "prefix"> {
  siteId: string;
  /** A deposited reservation. */
  reservationId: string;
  /** A token to collect the parcel. */
  accessToken: string;
}

/** Data written by gateways and an agent of another commit. */
export interface KeptData<Facts> {
  readonly facts: Facts;
  /** Copies its directories `archive` and `data`, and makes the agent's database `agent.db`, in a directory. */
  copyTo(directory: string): Promise<void>;
  /** Writes its keys to a server. */
  loadInto(redis: Redis): Promise<void>;
}

/** Reads the kept data of a version. */
export function keptData(version: 1): Promise<KeptData<EarliestDataFacts>>;
export function keptData(version: 2 | 3): Promise<KeptData<DataFacts>>;
export async function keptData(version: 1 | 2 | 3): Promise<KeptData<EarliestDataFacts | DataFacts>> {
  const source = join(import.meta.dirname, `data-of-version-${version}`);
  return {
    facts: JSON.parse(await readFile(join(source, "facts.json"), "utf8")) as EarliestDataFacts | DataFacts,
    async copyTo(directory) {
      await cp(source, directory, { recursive: true });
      const database = new DatabaseSync(join(directory, "agent.db"));
      database.exec(await readFile(join(source, "agent.sql"), "utf8"));
      database.close();
    },
    async loadInto(redis) {
      await loadKeys(redis, await readFile(join(source, "store.ndjson"), "utf8"));
    },
  };
}

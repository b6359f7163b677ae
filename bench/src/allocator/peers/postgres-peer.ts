import { earthRadiusM, type Position } from "@petak/allocator";
import type { Client } from "pg";
import { askedClass, type Network, parcel, positionOf } from "../network/network.ts";
import { type Order, orderFingerprint } from "../ours/orders.ts";
import { indexes, repeatedStatement, reserveStatement, schema } from "./postgres-schema.ts";

/** The durability of an acknowledged commit. */
export type SynchronousCommit = "off" | "on";

/** A session that reserves one order at a time; PostgreSQL runs each in a process. */
export interface PostgresSession {
  /**
   * Holds a place at the nearest site that has one, or returns the one that the same order got before. Returns the site's index.
   *
   * @throws {Error} if there is no place, or every attempt lost to a concurrent one
   */
  reserve(order: Order): Promise<number>;
  /** How often it retried, because others took a site's last place meanwhile. */
  readonly retries: number;
}

/** The number of attempts for an order. */
const attempts = 10;

/** The latitude of the city's centre, for which the plane is exact. */
const middleLatitude = 1.35;

/** The greatest error of the plane's distances within the range of a query, in m. */
export const planeToleranceM = 0.5;

const radians = Math.PI / 180;

/** Sites that one statement writes. */
const batch = 1000;

/** Creates the tables and fills them. */
export async function fillPostgres(client: Client, network: Network, placesOf: (index: number) => readonly number[]): Promise<void> {
  await client.query(schema);
  for (let from = 0; from < network.count; from += batch) {
    const rows = Array.from({ length: Math.min(batch, network.count - from) }, (_, offset) => {
      const index = from + offset;
      const { x, y } = onPlane(positionOf(network, index));
      return placesOf(index).map((free, sizeClass) => `(${index},${sizeClass},${free},${free > 0},ST_Point(${x},${y}))`);
    });
    await client.query(`INSERT INTO size_place VALUES ${rows.flat().join(",")}`);
  }
  for (const index of indexes) await client.query(index);
  await client.query("VACUUM (FREEZE, ANALYZE)");
}

/** Opens a session over a connection. */
export async function postgresSession(client: Client, synchronousCommit: SynchronousCommit): Promise<PostgresSession> {
  await client.query(`SET synchronous_commit = ${synchronousCommit}`);
  // A name makes it a prepared statement.
  const statement = { name: "reserve", text: reserveStatement(askedClass.index) };
  const { widthMm, heightMm, depthMm, massG } = parcel;
  let retries = 0;
  return {
    get retries() {
      return retries;
    },
    async reserve(order) {
      const { x, y } = onPlane(order.origin);
      const values = [
        x,
        y,
        order.participantId,
        order.requestId,
        orderFingerprint(order),
        widthMm,
        heightMm,
        depthMm,
        massG,
        order.partnerReference,
        new Date(order.atMs),
        new Date(order.untilMs),
      ];
      for (let attempt = 0; attempt < attempts; attempt++) {
        const { rows } = await client.query<SiteRow>({ ...statement, values });
        if (rows[0] !== undefined) return rows[0].site_id;
        const repeated = await client.query<SiteRow>(repeatedStatement, [order.participantId, order.requestId]);
        if (repeated.rows[0] !== undefined) return repeated.rows[0].site_id;
        retries += 1;
      }
      throw new Error("PostgreSQL found no place for an order");
    },
  };
}

interface SiteRow {
  site_id: number;
}

function onPlane({ latitude, longitude }: Position): { x: number; y: number } {
  return { x: earthRadiusM * longitude * radians * Math.cos(middleLatitude * radians), y: earthRadiusM * latitude * radians };
}

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Enrolment, EnrolmentSchema, parseSiteId } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { responseTtlMs } from "../idempotency/stored-response.ts";

/** What ended an enrolment: a device with this public key, or the operator. */
export type EnrolmentEnd = Uint8Array | "revoked";

/** An enrolment as it was made, without its state, and what ended it. Undefined: nothing yet. */
export interface StoredEnrolment {
  readonly enrolment: Enrolment;
  readonly end: EnrolmentEnd | undefined;
}

/** The enrolments of devices. They end by themselves after {@link enrolmentsKeptMs}. */
export interface Enrolments {
  /**
   * Adds an enrolment and ends the site's earlier ones, so that one code of a site is open at most. If it exists, nothing changes. Idempotent. Two that are
   * added at once may both stay open.
   */
  add(enrolment: Enrolment): Promise<void>;
  find(enrolmentId: string): Promise<StoredEnrolment | undefined>;
  /** Ends an enrolment, unless something has ended it before. Returns what ended it. */
  end(enrolmentId: string, by: EnrolmentEnd): Promise<EnrolmentEnd>;
  /** The latest enrolments of a site, newest first. */
  at(siteId: string): Promise<StoredEnrolment[]>;
}

/** How long an enrolment is known, in ms: as long as a request may be repeated, so that a device whose answer was lost gets it again. */
export const enrolmentsKeptMs = responseTtlMs;

/** Enrolments of a site that are listed: as many as anybody makes in a day for one device. */
const listedMax = 20;

const revoked = Buffer.from("revoked");

/** Stores enrolments in Redis. What ended one is kept for longer than the enrolment, so that nothing makes it open again. */
export function createEnrolments(redis: RedisConnection, keys: Keys): Enrolments {
  async function endOf(enrolmentId: string): Promise<EnrolmentEnd | undefined> {
    const value = await redis.getBuffer(keys.enrolmentEnd(enrolmentId));
    return value === null ? undefined : readEnd(value);
  }

  const enrolments: Enrolments = {
    async add(enrolment) {
      const { enrolmentId, siteId, createdAt } = enrolment;
      const list = listOf(keys, siteId);
      if (list === undefined || (await redis.exists(keys.enrolment(enrolmentId))) > 0) return;
      const others = (await redis.zrange(list, 0, "-1")).filter((other) => other !== enrolmentId);
      await Promise.all(others.map((other) => enrolments.end(other, "revoked")));
      await redis.zadd(list, createdAt === undefined ? 0 : timestampMs(createdAt), enrolmentId);
      await redis.zremrangebyrank(list, 0, -listedMax - 1);
      await redis.pexpire(list, enrolmentsKeptMs);
      // Last: a repetition after a crash in between does all of it again.
      const bytes = Buffer.from(toBinary(EnrolmentSchema, enrolment));
      await redis.set(keys.enrolment(enrolmentId), bytes, "PX", enrolmentsKeptMs, "NX");
    },
    async find(enrolmentId) {
      const [bytes, end] = await Promise.all([redis.getBuffer(keys.enrolment(enrolmentId)), endOf(enrolmentId)]);
      return bytes === null ? undefined : { enrolment: fromBinary(EnrolmentSchema, bytes), end };
    },
    async end(enrolmentId, by) {
      const value = by === "revoked" ? revoked : Buffer.from(by);
      const before = await redis.setBuffer(keys.enrolmentEnd(enrolmentId), value, "PX", 2 * enrolmentsKeptMs, "NX", "GET");
      return before === null ? by : readEnd(before);
    },
    async at(siteId) {
      const list = listOf(keys, siteId);
      const ids = list === undefined ? [] : await redis.zrange(list, 0, "-1", "REV");
      const found = await Promise.all(ids.map((id) => enrolments.find(id)));
      return found.filter((one) => one !== undefined);
    },
  };
  return enrolments;
}

function listOf(keys: Keys, siteId: string): string | undefined {
  const id = parseSiteId(siteId);
  return id === undefined ? undefined : keys.siteEnrolments(id.region, id.siteNumber);
}

function readEnd(value: Buffer): EnrolmentEnd {
  return value.equals(revoked) ? "revoked" : new Uint8Array(value);
}

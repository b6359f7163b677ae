import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { commandDeadlineMs } from "@petak/credential";
import {
  type Command,
  CommandSchema,
  type CommandSignature,
  CommandSignatureSchema,
  CommandState,
  parseSiteId,
  type SiteIdParts,
} from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";

/** What a device reported of a command. */
export type CommandEnd = Pick<Command, "state" | "refusal" | "endedAt" | "logLines">;

/** A command as it is stored, with the participant that sent it. */
export interface StoredCommand {
  readonly command: Command;
  readonly operatorId: string;
  readonly isTest: boolean;
}

/** The commands to sites. Each is known for {@link commandsKeptMs}. */
export interface Commands {
  /** Stores a command, unless it exists. Idempotent: a repetition completes what was cut off. Returns it as it is stored. */
  add(stored: StoredCommand): Promise<StoredCommand>;
  find(commandId: string): Promise<StoredCommand | undefined>;
  /** Approves a command, unless it was approved before. Returns it as it is stored. */
  approve(commandId: string, signature: CommandSignature): Promise<StoredCommand | undefined>;
  /** Records what a device reported, unless it reported an outcome before. Returns the command as it is stored. */
  end(commandId: string, end: CommandEnd): Promise<StoredCommand | undefined>;
  /** Records that nothing was reported in time. Returns the command as it is stored: with its outcome, if one came meanwhile. */
  timeOut(commandId: string, at: Timestamp): Promise<StoredCommand | undefined>;
  /** Commands that nobody has reported on in time, at most 100. */
  due(nowMs: number): Promise<string[]>;
  /** Removes a command that is not known any more from those that are due. */
  forget(commandId: string): Promise<void>;
  /** No longer waits for a report on a command. */
  settle(stored: StoredCommand): Promise<void>;
  /** The commands that a site's device is to obey now. */
  openAt(siteId: string, nowMs: number): Promise<Command[]>;
  /** The latest commands of a site, newest first. */
  latestAt(siteId: string): Promise<StoredCommand[]>;
  /** Counts one more of a subject in a period. Returns how many there are, this one included. @param subject and period: letters, digits, `_`, `-`, `:` */
  count(subject: string, period: string, periodMs: number): Promise<number>;
}

/** How long a command is known, in ms. */
export const commandsKeptMs = 7 * 86_400_000;

/** How long after a command's deadline the sweep waits for the report on it, in ms: a device obeys at the last moment and must still reach the gateway. */
export const commandReportMs = 30_000;

/** Commands of a site that are listed. */
const listedMax = 50;

const dueMax = 100;

/**
 * Stores commands in Redis: of each a hash with the command as it was sent, and what came after it (approval, time-out, outcome), each of which is written once.
 * The state follows from these, so that no two gateways overwrite each other.
 */
export function createCommands(redis: RedisConnection, keys: Keys): Commands {
  async function find(commandId: string): Promise<StoredCommand | undefined> {
    return read(await redis.hgetallBuffer(keys.command(commandId)));
  }

  /** Writes a field of a command once. */
  async function put(commandId: string, field: string, value: Uint8Array): Promise<StoredCommand | undefined> {
    if ((await redis.exists(keys.command(commandId))) === 0) return undefined;
    await redis.hsetnx(keys.command(commandId), field, Buffer.from(value));
    return await find(commandId);
  }

  return {
    find,
    async add(stored) {
      const { command, operatorId, isTest } = stored;
      const { commandId, createdAt } = command;
      const id = siteOf(command);
      const createdMs = createdAt === undefined ? 0 : timestampMs(createdAt);
      const endsMs = commandDeadlineMs(command) + commandReportMs;
      const key = keys.command(commandId);
      await redis.hsetnx(key, "sent", Buffer.from(toBinary(CommandSchema, command)));
      await redis.hset(key, { operator: operatorId, network: isTest ? "test" : "live" });
      await redis.pexpire(key, commandsKeptMs);
      const listed = keys.siteCommands(id.region, id.siteNumber);
      await redis.zadd(listed, createdMs, commandId);
      await redis.zremrangebyrank(listed, 0, -listedMax - 1);
      await redis.pexpire(listed, commandsKeptMs);
      const open = keys.siteOpenCommands(id.region, id.siteNumber);
      await redis.zadd(open, endsMs, commandId);
      await redis.zremrangebyscore(open, "-inf", createdMs - commandReportMs);
      await redis.pexpire(open, commandsKeptMs);
      await redis.zadd(keys.commandsDue(), endsMs, commandId);
      return (await find(commandId)) ?? stored;
    },
    async approve(commandId, signature) {
      const stored = await put(commandId, "approval", toBinary(CommandSignatureSchema, signature));
      if (stored?.command.endedAt !== undefined || stored === undefined) return stored;
      const endsMs = commandDeadlineMs(stored.command) + commandReportMs;
      await redis.zadd(keys.commandsDue(), endsMs, commandId);
      return stored;
    },
    end: (commandId, end) => put(commandId, "outcome", toBinary(CommandSchema, create(CommandSchema, end))),
    timeOut: (commandId, at) =>
      put(commandId, "timeout", toBinary(CommandSchema, create(CommandSchema, { state: CommandState.TIMED_OUT, endedAt: at }))),
    due: (nowMs) => redis.zrangebyscore(keys.commandsDue(), "-inf", nowMs, "LIMIT", 0, dueMax),
    async forget(commandId) {
      await redis.zrem(keys.commandsDue(), commandId);
    },
    async settle({ command }) {
      const id = siteOf(command);
      await redis.zrem(keys.siteOpenCommands(id.region, id.siteNumber), command.commandId);
      await redis.zrem(keys.commandsDue(), command.commandId);
    },
    async openAt(siteId, nowMs) {
      const id = parseSiteId(siteId);
      const ids = id === undefined ? [] : await redis.zrangebyscore(keys.siteOpenCommands(id.region, id.siteNumber), nowMs, "+inf");
      const found = await Promise.all(ids.map(find));
      return found
        .flatMap((stored) => stored?.command ?? [])
        .filter((command) => command.state === CommandState.SENT && commandDeadlineMs(command) > nowMs);
    },
    async latestAt(siteId) {
      const id = parseSiteId(siteId);
      const ids = id === undefined ? [] : await redis.zrange(keys.siteCommands(id.region, id.siteNumber), 0, "-1", "REV");
      return (await Promise.all(ids.map(find))).filter((stored) => stored !== undefined);
    },
    async count(subject, period, periodMs) {
      const key = keys.commandCount(subject, period);
      const count = await redis.incr(key);
      await redis.pexpire(key, 2 * periodMs);
      return count;
    },
  };
}

function siteOf({ siteId }: Command): SiteIdParts {
  const id = parseSiteId(siteId);
  if (id === undefined) throw new Error(`command to '${siteId}', which is no site`);
  return id;
}

/** A command from its hash. What came later than it was sent decides the state. */
function read(hash: Record<string, Buffer>): StoredCommand | undefined {
  const { sent, approval, timeout, outcome, operator, network } = hash;
  if (sent === undefined || operator === undefined) return undefined;
  const command = fromBinary(CommandSchema, sent);
  if (approval !== undefined) {
    command.secondSignature = fromBinary(CommandSignatureSchema, approval);
    command.state = CommandState.SENT;
    command.deadline = earlier(command);
  }
  const end = outcome ?? timeout;
  if (end !== undefined) {
    const { state, refusal, endedAt, logLines } = fromBinary(CommandSchema, end);
    Object.assign(command, { state, refusal, endedAt, logLines });
  }
  return { command, operatorId: operator.toString(), isTest: network?.toString() === "test" };
}

function earlier({ signature, secondSignature }: Command): Timestamp | undefined {
  const [first, second] = [signature?.expiresAt, secondSignature?.expiresAt];
  if (first === undefined || second === undefined) return first ?? second;
  return timestampMs(first) < timestampMs(second) ? first : second;
}

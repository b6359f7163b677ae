import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type AuditEntry, AuditEntrySchema, AuditOutcome, type ModeName } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { firstEntry, isAfter } from "../encoding/stream-entry.ts";
import { responseTtlMs } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";

/** Who asks for a change, by which each request is recorded once. Entries count for its participant. */
export interface AuditedRequest {
  readonly mode: ModeName;
  readonly participantId: string;
  readonly requestId: string;
  /** What the request asks for, e.g. a hash of it. The same id with another body, once the store has forgotten the first one, is another change. */
  readonly fingerprint: string;
}

/** Which entries are read. */
export interface AuditQuery {
  readonly mode: ModeName;
  /** The id of the entry after which to begin. Undefined: at the oldest one. */
  readonly after: string | undefined;
  /** Earliest and latest time of recording, in ms: inclusive, exclusive. Undefined: unlimited. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  /** Most entries of the page. */
  readonly count: number;
  /** Whether an entry is wanted. */
  readonly matches: (entry: AuditEntry) => boolean;
}

/** Entries that are not stored any more. */
export interface DroppedAuditEntries {
  /** Who made the changes. Undefined: everybody, since entries of this age are not stored. */
  makerId: string | undefined;
  /** The id of the last entry that was dropped, or, for those of everybody, before which all were. */
  until: string;
}

/** One page of entries. */
export interface AuditPage {
  entries: AuditEntry[];
  /** What was dropped of the entries from the beginning of the page on. */
  dropped: DroppedAuditEntries[];
  /** The id of the entry after which the next page begins. */
  next: string;
  hasMore: boolean;
}

/** The administrative changes of a store. */
export interface AuditLog {
  /**
   * Records that a change is about to be made. Whatever happens to the gateway after this, an entry stays until {@link withdraw} or {@link settle}. Resolves
   * with false if the same request was recorded as done.
   */
  begin(request: AuditedRequest, entry: AuditEntry): Promise<boolean>;
  /** Removes what {@link begin} recorded for a call that was refused. */
  withdraw(request: AuditedRequest): Promise<void>;
  /**
   * Records a change that was made, once for each request, in place of what {@link begin} recorded.
   *
   * @param isChanged false: the call found nothing to change. Then nothing is recorded, unless another call of the request may have made the change
   */
  settle(request: AuditedRequest, entry: AuditEntry, isChanged?: boolean): Promise<void>;
  /**
   * Records that a fact which the gateway finds by itself has another value than the last one that was recorded, once, whichever gateways do so.
   *
   * @param entryOf the entry, by the value before, '' for none
   */
  recordFact(
    mode: ModeName,
    fact: { readonly name: string; readonly value: string },
    entryOf: (before: string) => AuditEntry,
  ): Promise<void>;
  /** Entries in the order in which they were recorded. A change that may still be under way ends the page. */
  read(query: AuditQuery): Promise<AuditPage>;
  /** The id of the last entry that is archived. */
  archivedUntil(mode: ModeName): Promise<string>;
  /** Records that the entries up to another one are archived, if `before` is still what {@link archivedUntil} returns. */
  markArchived(mode: ModeName, before: string, until: string): Promise<void>;
  /** How many entries a participant has at most, and about how many it has: those that were dropped for their age may be counted. */
  usage(mode: ModeName, participantId: string): Promise<{ limit: number; used: number }>;
}

/** Bounds of a log. */
export interface AuditBounds {
  /** Most entries of one participant in one network. */
  readonly entriesMax: number;
  /** How long entries are stored, in ms. */
  readonly keptMs: number;
  /** Whether entries stay until they are archived, whatever the other bounds say. */
  readonly onlyArchived: boolean;
  /** How long a change is waited for that has begun, in ms: longer than calls take. After this its outcome is unknown. */
  readonly callMs: number;
}

/** 4 MB for each participant and network, with the longest summaries 8 MB; 400 days: a year, and time to look back at it; 2 minutes. */
export const defaultAuditBounds: AuditBounds = { entriesMax: 10_000, keptMs: 400 * 86_400_000, onlyArchived: false, callMs: 120_000 };

/** Entries that are read at once, and most that are read for one page. */
const readBatch = 500;
const readMax = 10_000;

/** Entries of changes that may be under way beyond the greatest number: a change that will be refused must not push out an entry. */
const openMax = 100;

/** Stands for the gateway in place of a participant's id. */
export const gatewayMaker = "gateway";

/** Stands for everybody in place of a participant's id. */
const everybody = "*";

const beginScript = createScript("begin-audit");
const withdrawScript = createScript("withdraw-audit");
const settleScript = createScript("settle-audit");
const factScript = createScript("record-audit-fact");
const archivedScript = createScript("mark-audit-archived");

/** Stores administrative changes in Redis, as one stream for each network. */
export function createAuditLog(redis: RedisConnection, keys: Keys, bounds: Partial<AuditBounds> = {}): AuditLog {
  const { entriesMax, keptMs, onlyArchived, callMs } = { ...defaultAuditBounds, ...bounds };
  const keysOf = ({ mode, participantId, requestId, fingerprint }: AuditedRequest) => [
    keys.auditEntries(mode),
    keys.auditEntriesOf(mode, participantId),
    keys.auditedRequest(mode, participantId, requestId, fingerprint),
    keys.auditDropped(mode),
    keys.auditArchivedUntil(mode),
  ];

  const argumentsOf = (makerId: string, entry: AuditEntry, second: string | number, max: number) => [
    encode(entry),
    second,
    keptMs,
    max,
    makerId,
    onlyArchived ? "1" : "0",
  ];

  async function droppedAfter({ mode, after = firstEntry, fromMs }: AuditQuery): Promise<DroppedAuditEntries[]> {
    const earliest = earliestOf(fromMs);
    const start = isAfter(earliest, after) ? earliest : after;
    const all = Object.entries(await redis.hgetall(keys.auditDropped(mode)));
    return all
      .filter(([, until]) => isAfter(until, start))
      .map(([maker, until]) => ({ makerId: maker === everybody ? undefined : maker, until }))
      .sort((one, other) => (isAfter(one.until, other.until) ? 1 : -1));
  }

  async function readPage({ mode, after, fromMs, toMs, count, matches }: AuditQuery): Promise<Omit<AuditPage, "dropped">> {
    const [seconds, micros] = await redis.time();
    const openSinceMs = Number(seconds) * 1000 + Number(micros) / 1000 - callMs;
    const earliest = earliestOf(fromMs);
    const page: Omit<AuditPage, "dropped"> = { entries: [], next: after ?? firstEntry, hasMore: true };
    const end = toMs === undefined ? "+" : String(toMs - 1);
    for (let read = 0; read < readMax; ) {
      const start = isAfter(earliest, page.next) ? earliest : `(${page.next}`;
      const found = await redis.xrangeBuffer(keys.auditEntries(mode), start, end, "COUNT", readBatch);
      for (const [id, [field, bytes]] of found) {
        const entryId = id.toString("latin1");
        const isOpen = field?.toString("latin1") === "attempt";
        if (isOpen && msOf(entryId) > openSinceMs) return { ...page, hasMore: false };
        if (page.entries.length === count) return page;
        const entry = decode(entryId, isOpen, bytes);
        if (matches(entry)) page.entries.push(entry);
        page.next = entryId;
      }
      read += found.length;
      if (found.length < readBatch) return { ...page, hasMore: false };
    }
    return page;
  }

  return {
    async begin(request, entry) {
      const [tag] = await beginScript(
        redis,
        keysOf(request),
        argumentsOf(request.participantId, entry, responseTtlMs, entriesMax + openMax),
      );
      return tag === "begun";
    },
    async withdraw(request) {
      await withdrawScript(redis, keysOf(request).slice(0, 3), []);
    },
    async settle(request, entry, isChanged = true) {
      await settleScript(redis, keysOf(request), [
        ...argumentsOf(request.participantId, entry, responseTtlMs, entriesMax),
        isChanged ? "1" : "0",
      ]);
    },
    async recordFact(mode, { name, value }, entryOf) {
      const facts = keys.auditFacts(mode);
      const touched = [
        keys.auditEntries(mode),
        keys.auditEntriesOf(mode, gatewayMaker),
        facts,
        keys.auditDropped(mode),
        keys.auditArchivedUntil(mode),
      ];
      for (let tag: unknown = "other"; tag === "other"; ) {
        const before = (await redis.hget(facts, name)) ?? "";
        if (before === value) return;
        [tag] = await factScript(redis, touched, [...argumentsOf(gatewayMaker, entryOf(before), name, entriesMax), before, value]);
      }
    },
    async read(query) {
      const page = await readPage(query);
      // Afterwards, so that what is dropped meanwhile is told.
      return { ...page, dropped: await droppedAfter(query) };
    },
    async archivedUntil(mode) {
      return (await redis.get(keys.auditArchivedUntil(mode))) ?? firstEntry;
    },
    async markArchived(mode, before, until) {
      await archivedScript(redis, [keys.auditArchivedUntil(mode)], [before, until]);
    },
    async usage(mode, participantId) {
      return { limit: entriesMax, used: await redis.llen(keys.auditEntriesOf(mode, participantId)) };
    },
  };
}

/** The earliest id of an entry from a time on. */
function earliestOf(fromMs: number | undefined): string {
  return fromMs === undefined || fromMs < 0 ? firstEntry : `${fromMs}-0`;
}

function encode(entry: AuditEntry): Buffer {
  return Buffer.from(toBinary(AuditEntrySchema, entry));
}

function decode(entryId: string, isOpen: boolean, bytes: Buffer | undefined): AuditEntry {
  if (bytes === undefined) throw new Error("an entry of the audit log has no bytes");
  return create(AuditEntrySchema, {
    ...fromBinary(AuditEntrySchema, bytes),
    entryId,
    recordedAt: timestampFromMs(msOf(entryId)),
    outcome: isOpen ? AuditOutcome.UNKNOWN : AuditOutcome.DONE,
  });
}

function msOf(entryId: string): number {
  return Number(entryId.split("-", 1)[0]);
}

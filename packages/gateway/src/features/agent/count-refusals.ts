import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { countedConditions, countedRefusals } from "@petak/lifecycle";
import { type ConditionKind, type DeviceEvent, DeviceEventType, type Event, type Site } from "@petak/protocol";
import type { CountedReports, DeviceReport, RefusalCount, RefusalCountOutcome, RefusalCounts } from "@petak/records";
import { isStoreFailure } from "@petak/redis";
import type { AgentCaller } from "../../identity/index.ts";

export interface CountRefusalsDependencies {
  refusalCounts: RefusalCounts;
  now: () => number;
}

/** Refusals and conditions of one site that become an event each within {@link windowMs}. Agents of this release report fewer. */
const recordedMax = 30;

/** Reasons, and kinds of conditions, that are counted each for itself; the others are counted together, without one. More than there are, so that a stolen key makes no more events. */
const reasonsMax = 50;

const windowMs = 60_000;

/** The greatest count of an event. */
const countMax = 2 ** 32 - 1;

/**
 * Counts the report of a refusal or a condition, so that nobody fills the events of a site: not at a door whose agent reports each refusal, and not with an agent's key.
 *
 * @returns `record`: it is to become an event. Else the outcome: `done` if it was only counted, which events tell once the minute is over, one for each reason or kind.
 */
export async function countRefusal(
  { refusalCounts, now }: CountRefusalsDependencies,
  event: DeviceEvent,
  report: DeviceReport,
  { siteId, keyId, participantId }: AgentCaller,
  site: Site,
): Promise<RefusalCountOutcome | { tag: "record" }> {
  const nowMs = now();
  const before = await refusalCounts.at(siteId);
  const isOver = before === undefined || isPast(before, nowMs);
  const current = isOver ? { beganMs: nowMs, recorded: 0, counted: {} } : before;
  const isOnlyCounted = current.recorded >= recordedMax;
  const outcome = await refusalCounts.change({
    siteId,
    before,
    after: isOnlyCounted ? withCounted(current, event, nowMs) : { ...current, recorded: current.recorded + 1 },
    report: { ...report, isOnlyCounted },
    events: isOver ? summariesOf(before, { keyId, participantId }, site, nowMs) : [],
  });
  return outcome.tag === "done" && !isOnlyCounted ? { tag: "record" } : outcome;
}

/** Records the events of what was counted in a minute that is over, if no refusal has come since that would have brought it about. */
export async function tellCounted(
  { refusalCounts, now }: CountRefusalsDependencies,
  before: RefusalCount | undefined,
  { siteId, keyId, participantId }: AgentCaller,
  site: Site,
): Promise<void> {
  const nowMs = now();
  if (before === undefined || !isPast(before, nowMs)) return;
  try {
    // Where it has changed since it was read, another call has told of it.
    await refusalCounts.change({ siteId, before, after: undefined, events: summariesOf(before, { keyId, participantId }, site, nowMs) });
  } catch (error) {
    // A store that rejects writes must not keep the agent from reading. The next call tells.
    if (!isStoreFailure(error)) throw error;
  }
}

/** Also if the clock was set back. */
function isPast({ beganMs }: RefusalCount, nowMs: number): boolean {
  return nowMs >= beganMs + windowMs || nowMs < beganMs;
}

function withCounted(current: RefusalCount, event: DeviceEvent, nowMs: number): RefusalCount {
  const { type, refusal, refusals, condition } = event;
  const occurredMs = event.occurredAt === undefined ? nowMs : timestampMs(event.occurredAt);
  const said = (count: number, first: Timestamp | undefined, last: Timestamp | undefined): CountedReports => ({
    count,
    firstAtMs: first === undefined ? occurredMs : timestampMs(first),
    lastAtMs: last === undefined ? occurredMs : timestampMs(last),
  });
  if (type !== DeviceEventType.CONDITION)
    return { ...current, counted: added(current.counted, refusal, said(refusals?.count ?? 1, refusals?.firstAt, refusals?.lastAt), "") };
  const more = said(condition?.count || 1, condition?.since, condition?.until);
  return { ...current, conditions: added(current.conditions ?? {}, String(condition?.kind ?? 0), more, "0") };
}

/** @param others what those are counted under for which there is no room */
function added(
  counted: Readonly<Record<string, CountedReports>>,
  name: string,
  more: CountedReports,
  others: string,
): Readonly<Record<string, CountedReports>> {
  const key = Object.hasOwn(counted, name) || Object.keys(counted).length < reasonsMax ? name : others;
  const before = Object.hasOwn(counted, key) ? counted[key] : undefined;
  const after = {
    count: Math.min(countMax, (before?.count ?? 0) + more.count),
    firstAtMs: Math.min(before?.firstAtMs ?? more.firstAtMs, more.firstAtMs),
    lastAtMs: Math.max(before?.lastAtMs ?? more.lastAtMs, more.lastAtMs),
  };
  return Object.fromEntries([...Object.entries(counted), [key, after]]);
}

function summariesOf(
  before: RefusalCount | undefined,
  agent: Pick<AgentCaller, "keyId" | "participantId">,
  site: Site,
  nowMs: number,
): Event[] {
  const refusals = Object.entries(before?.counted ?? {}).map(([refusal, { count, firstAtMs, lastAtMs }]) =>
    countedRefusals(refusal, { count, firstAt: timestampFromMs(firstAtMs), lastAt: timestampFromMs(lastAtMs) }, agent, site, nowMs),
  );
  const conditions = Object.entries(before?.conditions ?? {}).map(([kind, { count, firstAtMs, lastAtMs }]) =>
    countedConditions(
      Number(kind) as ConditionKind,
      { count, since: timestampFromMs(firstAtMs), until: timestampFromMs(lastAtMs) },
      agent,
      site,
      nowMs,
    ),
  );
  return [...refusals, ...conditions];
}

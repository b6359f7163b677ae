import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { type CityRun, Merge, type RunEnded } from "@petak/simulator";
import type { FromProcess, Order, ToProcess } from "./messages.ts";

/** A run that several processes make together. */
export interface ProcessesRun
  extends Pick<
    CityRun,
    "gateway" | "couriers" | "siteFilters" | "pace" | "faults" | "operators" | "isLeftClean" | "inFlightMax" | "observe" | "signal"
  > {
  readonly tracePath: string;
  readonly processes: number;
  readonly onBegin: NonNullable<CityRun["onBegin"]>;
}

/** How runs end, the worst last. */
const byGravity: readonly RunEnded["end"][] = ["complete", "interrupted", "gateway-lost"];

/** A process, and what it says until it has ended. */
interface Member {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  readonly ended: Promise<RunEnded>;
}

/**
 * Runs a trace by several processes, each with a share of the people and of the doors. What they observe is given in the order in which it was observed.
 *
 * @throws Error if one of them ends before its run.
 */
export async function runProcesses({
  tracePath,
  processes,
  onBegin,
  observe,
  signal,
  inFlightMax,
  operators,
  ...run
}: ProcessesRun): Promise<RunEnded> {
  const merge = new Merge(processes, observe);
  let firstMs: number | undefined;
  let met = 0;
  const onMessage = (member: number, message: FromProcess) => {
    switch (message.kind) {
      case "observed":
        return merge.add(member, message.items, message.untilMs);
      case "ended":
        // Nobody waits for it any more.
        return merge.add(member, [], Number.POSITIVE_INFINITY);
      case "visit":
      case "visited":
        return tell(message.to, message);
      case "meet":
        met += 1;
        if (met % processes === 0) tellAll({ kind: "met" });
        return;
      case "began":
        if (firstMs === undefined) onBegin(message);
        firstMs ??= message.stampMs;
        merge.began(member, message.stampMs - firstMs);
    }
  };
  const members = Array.from({ length: processes }, (_, member) => startMember((message) => onMessage(member, message)));
  const tell = (member: number, message: ToProcess) => {
    const child = members[member]?.child;
    if (child?.connected === true) child.send(message);
  };
  const tellAll = (message: ToProcess) => {
    for (const member of members.keys()) tell(member, message);
  };
  const onAbort = () => tellAll({ kind: "stop" });
  signal.addEventListener("abort", onAbort);
  try {
    for (const [member, { child }] of members.entries()) {
      const order: Order = {
        kind: "prepare",
        tracePath,
        member,
        members: processes,
        operators: [...operators.values()],
        run: { ...run, inFlightMax: Math.max(1, Math.floor(inFlightMax / processes)) },
      };
      child.send(order);
    }
    await Promise.all(members.map(({ ready }) => ready));
    tellAll({ kind: signal.aborted ? "stop" : "go" });
    const ends = await Promise.all(members.map(({ ended }) => ended));
    const worst = ends.reduce((worse, one) => (byGravity.indexOf(one.end) > byGravity.indexOf(worse.end) ? one : worse));
    return { ...worst, inside: ends.reduce((sum, { inside = 0 }) => sum + inside, 0) };
  } finally {
    signal.removeEventListener("abort", onAbort);
    for (const { child } of members) child.kill("SIGKILL");
  }
}

function startMember(onMessage: (message: FromProcess) => void): Member {
  const child = fork(join(import.meta.dirname, "load-process.ts"), { execArgv: ["--disable-warning=ExperimentalWarning"] });
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<RunEnded>();
  // Whoever waits for it later hears of it then.
  for (const { promise } of [ready, ended]) promise.catch(() => undefined);
  const fail = (message: string) => {
    for (const { reject } of [ready, ended]) reject(new Error(message));
  };
  child.on("message", (message: FromProcess) => {
    if (message.kind === "ready") ready.resolve();
    else if (message.kind === "ended") ended.resolve(message.ended);
    else if (message.kind === "failed") fail(message.message);
    onMessage(message);
  });
  child.on("exit", (code, name) => fail(`A process that makes the load has ended (${name ?? `exit ${code}`}).`));
  child.on("error", ({ message }) => fail(message));
  return { child, ready: ready.promise, ended: ended.promise };
}

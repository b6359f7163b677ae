import { once } from "node:events";
import { runCity, type Stamped } from "@petak/simulator";
import { openTrace } from "../trace-file.ts";
import { joinGroup } from "./join-group.ts";
import type { FromProcess, Order, ToProcess } from "./messages.ts";

/** How often a process tells what it has observed, in ms. */
const tellMs = 50;

/** The time in ms since 1970 by the machine's monotonic clock, which all processes share. */
const stampMs = () => performance.timeOrigin + performance.now();

const stop = new AbortController();
const tell = (message: FromProcess) => void (process.connected && process.send?.(message));

// Ctrl-C reaches all processes of a terminal; the first one tells the others.
process.on("SIGINT", () => {});
process.on("disconnect", () => stop.abort());
process.on("message", (message: ToProcess) => {
  if (message.kind === "stop") stop.abort();
});

const [order] = (await once(process, "message")) as [Order];
await run(order).catch((error: Error) => tell({ kind: "failed", message: error.message }));
process.disconnect?.();

async function run({ tracePath, member, members, operators, run }: Order): Promise<void> {
  const trace = await openTrace(tracePath);
  const group = joinGroup(member, members, tell);
  tell({ kind: "ready" });
  // Either word comes next: to go, or to stop.
  await once(process, "message");
  let items: Stamped[] = [];
  const flush = () => {
    tell({ kind: "observed", items, untilMs: stampMs() });
    items = [];
  };
  const timer = setInterval(flush, tellMs);
  const ended = await runCity({
    ...run,
    trace,
    operators: new Map(operators.map((key) => [key.participant_id, key])),
    group,
    onBegin: (began) => tell({ kind: "began", ...began, stampMs: stampMs() }),
    observe(observation) {
      if (observation.kind !== "end") items.push({ stampMs: stampMs(), observation });
    },
    signal: stop.signal,
  });
  clearInterval(timer);
  flush();
  tell({ kind: "ended", ended });
}

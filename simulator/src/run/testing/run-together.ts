import type { Observation, RunEnded } from "../../observe/observation.ts";
import { Merge, type Stamped } from "../../process-group/merge.ts";
import type { ProcessGroup } from "../../process-group/process-group.ts";
import type { CityRun } from "../city-run.ts";
import { runCity } from "../run-city.ts";

/** The members of a process group in one process. Visits pass through JSON, as between processes. */
function groupOf(size: number, onVisit: () => void): ProcessGroup[] {
  const makers: Parameters<ProcessGroup["serve"]>[0][] = [];
  let [come, met] = [0, Promise.withResolvers<void>()];
  return Array.from({ length: size }, (_, member) => ({
    size,
    member,
    async visit(to, order) {
      onVisit();
      return await (makers[to] as (typeof makers)[number])(JSON.parse(JSON.stringify(order)));
    },
    serve(make) {
      makers[member] = make;
    },
    async meet() {
      const { promise } = met;
      come += 1;
      if (come % size === 0) {
        met.resolve();
        met = Promise.withResolvers();
      }
      await promise;
    },
  }));
}

/** Runs a trace by several members. Returns what they observed together, how their parts ended, and how many visits they made for each other. */
export async function runTogether(
  size: number,
  run: Omit<CityRun, "observe">,
): Promise<{ seen: Observation[]; ended: RunEnded[]; visits: number }> {
  const seen: Observation[] = [];
  const parts: Stamped[][] = Array.from({ length: size }, () => []);
  let visits = 0;
  const group = groupOf(size, () => {
    visits += 1;
  });
  const ended = await Promise.all(
    group.map((member, index) =>
      runCity({ ...run, group: member, observe: (observation) => parts[index]?.push({ stampMs: performance.now(), observation }) }),
    ),
  );
  const merge = new Merge(size, (observation) => seen.push(observation));
  for (const [member, items] of parts.entries()) merge.add(member, items, Number.POSITIVE_INFINITY);
  return { seen, ended, visits };
}

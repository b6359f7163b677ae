import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Parts of the names of the slowest files, slowest first. */
const long = [
  "fuzz/fuzz",
  "faults/killed-gateways",
  "life/life",
  "fuzz/call-paths",
  "faults/",
  "retention/soak",
  "examples/",
  "fuzz/raw-sockets",
  "start/start-and-journey",
  "errors/every-reason",
  "reservations/rush",
  "search/nearest",
  "search/constraints",
  "store-watch",
  "connection/cluster",
];

/**
 * Starts with the slowest files. In a fresh clone vitest has no durations of earlier runs, and a slow file that starts last would run alone
 * while the other core is idle.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      const place = long.findIndex((part) => moduleId.includes(part));
      // Over additional servers the same files run fewer rounds.
      return place < 0 || project.name.includes(",") ? long.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

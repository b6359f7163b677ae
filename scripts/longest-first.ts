import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Parts of the names of the files that take longest, longest first. */
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
 * Begins with the files that take longest. In a fresh clone nothing is known of how long each took, and a long one that comes last runs
 * alone while the other core stands idle.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      const place = long.findIndex((part) => moduleId.includes(part));
      // Over further servers the same files run few rounds.
      return place < 0 || project.name.includes(",") ? long.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

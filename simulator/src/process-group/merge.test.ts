import { expect, test } from "vitest";
import type { Observation } from "../observe/observation.ts";
import { Merge } from "./merge.ts";

const event = (feedNumber: number): Observation => ({
  kind: "event",
  atMs: 0,
  participantId: "par_1",
  feedNumber,
  eventId: `evt_${feedNumber}`,
  reservationId: "res_1",
  siteId: "site_1",
  revision: 1,
  type: "RESERVATION_HELD",
  stateAfter: "HELD",
  occurredAtMs: 0,
  recordedAtMs: 0,
});
const freed = (intention: number): Observation => ({ kind: "freed", intention, atMs: 0, reservationId: "res_1" });
const late: Observation = { kind: "late", intention: 9, dueMs: 10, sentMs: 12 };

test("observations of several members come in the order in which they were observed, feeds as the first has read them, by its clock", () => {
  const taken: Observation[] = [];
  const merge = new Merge(2, (observation) => taken.push(observation));
  merge.began(1, 100);
  merge.add(
    0,
    [
      { stampMs: 1, observation: freed(1) },
      { stampMs: 5, observation: event(7) },
    ],
    6,
  );
  expect(taken).toEqual([]);
  merge.add(
    1,
    [
      { stampMs: 2, observation: freed(2) },
      { stampMs: 4, observation: event(7) },
      { stampMs: 5.5, observation: event(7) },
      { stampMs: 8, observation: late },
    ],
    9,
  );
  expect(taken).toEqual([freed(1), freed(2), event(7)]);
  merge.add(0, [], Number.POSITIVE_INFINITY);
  expect(taken.at(-1)).toEqual({ ...late, dueMs: 110, sentMs: 112 });
});

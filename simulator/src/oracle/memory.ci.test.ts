import { expect, test } from "vitest";
import { Courier, door, judge, life, minuteMs, site, startMs } from "./testing/stream.ts";

test("what is kept does not grow with the reservations that have ended: the oldest are forgotten", () => {
  const courier = new Courier();
  function* stream() {
    yield site;
    yield courier.read(startMs);
    for (let number = 1; number <= 50_000; number++) yield* life(courier, number);
    // A door for one that ended long ago is a door for one that is not known.
    yield door(1, "COLLECT", startMs + 60 * minuteMs);
    yield door(49_000, "COLLECT", startMs + 60 * minuteMs);
  }
  const found = judge(stream());
  expect(found.map(({ rule, text }) => [rule, /ended long ago/.test(text)])).toEqual([
    ["opened-without-right", true],
    ["spent-token-opened", false],
  ]);
});

import { expect, test } from "vitest";
import { servedSlots } from "./served-slots.ts";

const well = "cluster_enabled:1\r\ncluster_state:ok\r\ncluster_slots_assigned:16384\r\n";
const others = [
  "a1 127.0.0.1:7001@17001,host master - 0 1700 2 connected 5461-10922",
  "a2 127.0.0.1:7002@17002 slave a1 0 1700 2 connected",
].join("\n");

function served(share: string, flags = "myself,master", info = well): number[] {
  const slots = servedSlots(`${others}\na0 127.0.0.1:7000@17000 ${flags} - 0 0 1 connected ${share}\n`, info);
  return [0, 1, 7, 8, 9, 5460, 5461, 16_383].filter((slot) => slots.has(slot));
}

test.each([
  ["0-5460", [0, 1, 7, 8, 9, 5460]],
  ["0 8-9 16383", [0, 8, 9, 16_383]],
  // A slot that is being imported is not served yet.
  ["0-8 [9-<-a1]", [0, 1, 7, 8]],
  // For a slot that is being migrated away, the server does not see changes made at the target.
  ["0-9 [8->-a1] [1->-a1]", [0, 7, 9]],
  ["", []],
])("a master with slots %j sees all changes in %j", (share, slots) => {
  expect(served(share)).toEqual(slots);
});

test("a replica serves no slot, nor does a master that sees the cluster as down", () => {
  expect(served("0-5460", "myself,slave")).toEqual([]);
  expect(served("0-5460", "myself,master", well.replace("ok", "fail"))).toEqual([]);
  expect(servedSlots("", "").has(0)).toBe(false);
});

test("text is equal for equal slots and different for different ones", () => {
  const text = (share: string) =>
    servedSlots(`a0 127.0.0.1:7000@17000 myself,master - 0 ${Math.random()} 1 connected ${share}\n`, well).text;
  expect(text("0-5460")).toBe(text("0-5460"));
  expect(new Set([text("0-5460"), text("0-5461"), text("0-5460 [8->-a1]"), text("")]).size).toBe(4);
});

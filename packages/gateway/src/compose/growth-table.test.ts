import { SandboxService } from "@petak/protocol/sandbox";
import { TestClockService } from "@petak/protocol/test-clock";
import { expect, it } from "vitest";
import { growthTable } from "../store-watch/growth-table.ts";
import { services } from "./services.ts";

it("states for each RPC, and for nothing else, what happens to it while the store is nearly full", () => {
  const methods = [...services, SandboxService, TestClockService].flatMap(({ typeName, methods }) =>
    methods.map(({ name }) => `${typeName}/${name}`),
  );
  expect(Object.keys(growthTable).sort()).toEqual(methods.sort());
});

it("refuses no call that only reads", () => {
  const reading = services.flatMap(({ typeName, methods }) =>
    methods.filter(({ name }) => /^(Get|List|Find|Watch)/.test(name)).map(({ name }) => `${typeName}/${name}`),
  );
  expect(reading.filter((method) => growthTable[method] !== "kept")).toEqual([]);
});

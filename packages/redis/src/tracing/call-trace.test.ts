import { expect, test } from "vitest";
import { currentTrace, inTrace, outsideTraces } from "./call-trace.ts";

const trace = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };

test("work belongs to the trace of its call until the call ends, what it leaves running to none", async () => {
  const goOn = Promise.withResolvers<void>();
  let left: Promise<unknown> = Promise.resolve();
  const seen = await inTrace(trace, async () => {
    left = goOn.promise.then(() => currentTrace());
    await Promise.resolve();
    return currentTrace();
  });
  expect(seen).toBe(trace);
  goOn.resolve();
  expect(await left).toBeUndefined();
  expect(currentTrace()).toBeUndefined();
});

test("work that returns at once or fails ends too", async () => {
  let read = (): unknown => undefined;
  const keep = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const later = promise.then(() => currentTrace());
    read = () => {
      resolve();
      return later;
    };
    return currentTrace();
  };
  expect(inTrace(trace, keep)).toBe(trace);
  expect(await read()).toBeUndefined();
  const fail = () => {
    keep();
    throw new Error("failed");
  };
  expect(() => inTrace(trace, fail)).toThrow("failed");
  expect(await read()).toBeUndefined();
  await expect(inTrace(trace, async () => fail())).rejects.toThrow("failed");
  expect(await read()).toBeUndefined();
});

test("work for several calls belongs to none", async () => {
  const inside = inTrace(trace, () => outsideTraces(async () => [currentTrace(), await Promise.resolve().then(() => currentTrace())]));
  expect(await inside).toEqual([undefined, undefined]);
});

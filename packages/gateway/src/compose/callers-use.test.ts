import { createKeys } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { expect, it, onTestFinished } from "vitest";
import { createCallersShares, toldUses } from "./callers-shares.ts";
import { shareCallersUse } from "./callers-use.ts";

const redis = useRedis();

/** The shares of a gateway that tells and hears. */
function gateway() {
  const shares = createCallersShares();
  const sharing = shareCallersUse({ redis: redis.client, keys: createKeys(`${redis.keyPrefix}petak`), uses: toldUses(shares) });
  onTestFinished(() => sharing.stop());
  return { ...shares, stop: () => sharing.stop() };
}

it("what a caller has at one gateway counts at the others: calls, waiting calls, streams and batches", async () => {
  const [here, there] = [gateway(), gateway()];
  here.calls.of("par_a").unary = 20;
  here.calls.of("par_b").unary = 7;
  const held = (["polls", "streams", "batches"] as const).map((name) => [here[name].take("par_a"), here[name].take("par_a")]);
  const seen = () => [there.calls, there.polls, there.streams, there.batches].map((use) => use.usedBy("par_a"));
  await expect.poll(seen).toEqual([20, 2, 2, 2]);
  // Too few to be told.
  expect(there.calls.usedBy("par_b")).toBe(0);
  // Two more, one guaranteed whatever is elsewhere.
  const batches = [1, 2, 3].map(() => there.batches.take("par_a") !== undefined);
  expect(batches).toEqual([true, true, false]);
  for (const release of held.flat()) release?.();
  await expect.poll(seen).toEqual([20, 0, 0, 2]);
  // A gateway that stops takes back what it told.
  await here.stop();
  await expect.poll(seen).toEqual([0, 0, 0, 2]);
});

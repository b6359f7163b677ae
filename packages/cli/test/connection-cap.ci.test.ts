import { connect } from "node:net";
import { createTempDir } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { expect, onTestFinished, test } from "vitest";
import { runPetak } from "../src/testing/run-petak.ts";

test("a gateway that takes no further connection of an address is told from one that does not run", async () => {
  await using directory = await createTempDir();
  const network = await startTestNetwork({ serverLimits: { maxConnectionsPerAddress: 1, firstCallTimeoutMs: 600_000 } });
  onTestFinished(() => network.stop());
  const held = connect(Number(new URL(network.baseUrl).port), "127.0.0.1");
  onTestFinished(() => void held.destroy());
  const find = async () =>
    await runPetak(["--url", network.baseUrl, "--key", `pk_test_${"x".repeat(26)}`, "find", "1.35,103.8"], { cwd: directory.path });
  await expect.poll(async () => (await find()).stderr).toMatch(/closed the connection \(ECONNRESET\): .*maxConnectionsPerAddress/);
  expect((await find()).exitCode).toBe(3);
});

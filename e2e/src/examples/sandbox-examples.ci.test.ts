import { join } from "node:path";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { documentedSandbox } from "@petak/cli/testing/documented-sandbox";
import { createOwnServiceClient, readKeyFile, signerOfKeyFile } from "@petak/client/node";
import { TestClockService } from "@petak/protocol/test-clock";
import { createTempDir, type TempDir } from "@petak/testkit";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type StartedPetak, startPetak } from "../testing/petak-process.ts";
import { type CourierExample, courierExamples } from "./courier-examples.ts";
import { type ExampleResult, type ExampleStep, runCourier } from "./example-process.ts";

const examples = await courierExamples();
const documented = documentedSandbox();
let folder: TempDir;
let started: StartedPetak;
let gateway: string;
let clock: ReturnType<typeof createOwnServiceClient<typeof TestClockService>>;

beforeAll(async () => {
  folder = await createTempDir();
  started = await startPetak(folder.path, ["start", "--port", "0", "--demo-sites", "20", "--test-clock"], /Stop with Ctrl-C/);
  gateway = /running at (\S+)/.exec(started.said())?.[1] ?? "";
  const admin = await readKeyFile(join(folder.path, ".petak/keys/admin.json"));
  clock = createOwnServiceClient(TestClockService, { baseUrl: gateway, signer: signerOfKeyFile(admin) });
  return async () => {
    clock.close();
    await started.interrupt();
    await folder.remove();
  };
});

/** Moves the gateway's clock. */
async function pass(ms: number): Promise<void> {
  const { time } = await clock.client.getTestClock({});
  await clock.client.moveTestClock({ time: timestampFromMs((time === undefined ? 0 : timestampMs(time)) + ms) });
}

/** Long enough for whatever a walk waits for, and too short for a parcel to be forgotten. */
const waitMaxMs = 300_000;
const stepMs = 5000;

/** Runs a walk through the sandbox, and lets time pass while it waits. */
async function walk(example: CourierExample): Promise<ExampleResult> {
  let isWaiting = false;
  let isOver = false;
  let passedMs = 0;
  const passing = (async () => {
    while (!isOver) {
      if (isWaiting && passedMs < waitMaxMs) {
        passedMs += stepMs;
        await pass(stepMs);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const until = ({ step }: ExampleStep) => {
    if (step === "site") passedMs = 0;
    isWaiting = step === "waiting";
    return false;
  };
  const surroundings = { gateway, courierKey: join(folder.path, ".petak/keys/courier.json"), operatorKeys: "" };
  const result = await runCourier(example, surroundings, { args: ["--sandbox"], until });
  isOver = true;
  await passing;
  return result;
}

/** The steps at each site, by its reference. */
function bySite(steps: readonly ExampleStep[]): Map<string, ExampleStep[]> {
  const sites = new Map<string, ExampleStep[]>();
  for (const step of steps) {
    if (step.step === "site") sites.set(String(step.ref), []);
    else [...sites.values()].at(-1)?.push(step);
  }
  return sites;
}

describe.each(examples)("the courier's example in $language", (example) => {
  beforeEach(({ skip }) => skip(example.obstacle !== undefined, example.obstacle));

  it("walks through each site of the sandbox, and sees there what the guide says", async () => {
    const { exitCode, steps, stderr } = await walk(example);
    expect([exitCode, stderr]).toEqual([0, ""]);
    const sites = bySite(steps);
    const seen = [...sites].map(([ref, at]) => {
      const first = at.find(({ step }) => step === "visited");
      const events = at.filter(({ step }) => step === "event").map(({ type }) => type);
      const wanted = documented.find(({ reference }) => reference?.[0] === ref)?.["the courier's events"]?.length;
      return {
        ref,
        reserved: at.find(({ step }) => step === "refused")?.reason ?? "ok",
        deposit: first === undefined ? undefined : first.opened === true ? "opened" : first.refusal,
        events: events.slice(0, wanted),
      };
    });
    expect(seen).toEqual(
      documented.map(({ reference, Reserve, deposit, "the courier's events": events }) => ({
        ref: reference?.[0],
        reserved: Reserve?.[0],
        deposit: deposit?.[0],
        events,
      })),
    );
  });
});

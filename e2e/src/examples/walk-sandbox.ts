import { join } from "node:path";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { createOwnServiceClient, readKeyFile, signerOfKeyFile } from "@petak/client/node";
import { TestClockService } from "@petak/protocol/test-clock";
import type { CourierExample } from "./courier-examples.ts";
import { type ExampleResult, type ExampleStep, runCourier } from "./example-process.ts";

/** Long enough for whatever a walk waits for, and too short for a parcel to be forgotten. */
const waitMaxMs = 300_000;
const stepMs = 5000;
/** How often a walk that waits lets time pass, in ms. */
const passEveryMs = 50;

/** Runs a courier's walk through the sandbox of a gateway with a test clock, which passes while the walk waits. @param folder where the gateway was started */
export async function walkSandbox(example: CourierExample, gateway: string, folder: string): Promise<ExampleResult> {
  const admin = await readKeyFile(join(folder, ".petak/keys/admin.json"));
  const clock = createOwnServiceClient(TestClockService, { baseUrl: gateway, signer: signerOfKeyFile(admin) });
  let isWaiting = false;
  let isOver = false;
  let passedMs = 0;
  const passing = (async () => {
    while (!isOver) {
      if (isWaiting && passedMs < waitMaxMs) {
        passedMs += stepMs;
        const { time } = await clock.client.getTestClock({});
        await clock.client.moveTestClock({ time: timestampFromMs((time === undefined ? 0 : timestampMs(time)) + stepMs) });
      }
      await new Promise((resolve) => setTimeout(resolve, passEveryMs));
    }
  })();
  const until = ({ step }: ExampleStep) => {
    if (step === "site") passedMs = 0;
    isWaiting = step === "waiting";
    return false;
  };
  const surroundings = { gateway, courierKey: join(folder, ".petak/keys/courier.json"), operatorKeys: "" };
  try {
    return await runCourier(example, surroundings, { args: ["--sandbox"], until });
  } finally {
    isOver = true;
    await passing.finally(clock.close);
  }
}

/** What a walk saw at each site, in the words of the guide's table. @param eventsOf how many events the table has of a site, by its reference: a walk sees more */
export function seenAtSites(steps: readonly ExampleStep[], eventsOf: (ref: string) => number) {
  const sites = new Map<string, ExampleStep[]>();
  for (const step of steps) {
    if (step.step === "site") sites.set(String(step.ref), []);
    else [...sites.values()].at(-1)?.push(step);
  }
  return [...sites].map(([ref, at]) => {
    const first = at.find(({ step }) => step === "visited");
    const events = at.filter(({ step }) => step === "event").map(({ type }) => type);
    return {
      ref,
      reserved: at.find(({ step }) => step === "refused")?.reason ?? "ok",
      deposit: first === undefined ? undefined : first.opened === true ? "opened" : first.refusal,
      events: events.slice(0, eventsOf(ref)),
    };
  });
}

import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { JsonValue } from "@bufbuild/protobuf";
import { followTestClock, NoTestClockError, type TestClockFollower } from "@petak/agent";
import { type KeyFile, type RequestSigner, readKeyFile } from "@petak/client/node";
import { TestClockService } from "@petak/protocol/test-clock";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandModule } from "../command.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import { printStep } from "../journey/print-step.ts";
import type { Step } from "../journey/step.ts";
import { stepJson } from "../journey/step-json.ts";
import { walkJourney } from "../journey/walk.ts";
import type { Session } from "../session.ts";
import { parseOrigin } from "./origin.ts";

interface JourneyCommandOptions {
  from: { latitude: number; longitude: number };
  pin?: boolean;
  recall?: boolean;
  service?: boolean;
  hard?: boolean;
  parcels: number;
  operatorKey?: string;
  testClock?: boolean;
  site: "terminal" | "store";
  offline?: boolean;
}

/** A shoe box. */
const parcel = { widthMm: 300, heightMm: 150, depthMm: 200, massG: 1200 };

/** `petak journey`: takes a parcel or several through a running gateway, step by step. */
export const registerJourney: CommandModule = (command, context) => {
  command
    .addOption(
      new Option("--from <lat,lng>", "where the recipient is")
        .argParser(parseOrigin)
        .default({ latitude: 1.3521, longitude: 103.8198 }, "1.3521,103.8198, in Singapore"),
    )
    .option("--pin", "the recipient enters the PIN instead of presenting the token")
    .option("--recall", "nobody collects, and the driver takes the parcel back")
    .option("--service", "while the parcel is inside, the operator's technician opens its door")
    .option("--hard", "hold a named compartment instead of any of the size class")
    .option("--parcels <count>", "several parcels, collected in one visit with one credential (at most 20)", parseParcels, 1)
    .option("--operator-key <file>", "key file of the site's operator (default: the demonstration's, beside the courier's key)")
    .option("--test-clock", "the terminal follows the gateway's test clock (test network only)")
    .addOption(new Option("--site <kind>", "the kind of site that it leads to").choices(["terminal", "store"]).default("terminal"))
    .option(
      "--offline",
      "enrol a device whose program runs in a process of its own, and cut its link from before the deposit until after the collection",
    )
    .action(async (options: JourneyCommandOptions, running: Command) => {
      checkDevice(options);
      const session = context.session(running);
      const { output } = session;
      const signal = context.io.interruption();
      const { client: courier, keyPath, signer } = await session.connect();
      const testClock = options.testClock === true ? await followGatewayClock(session, signer) : undefined;
      const steps: JsonValue[] = [];
      let number = 0;
      await walkJourney({
        url: session.url,
        tls: session.tls,
        tlsFlags: session.tlsFlags,
        courier,
        origin: options.from,
        parcel,
        withPin: options.pin === true,
        isRecalled: options.recall === true,
        withService: options.service === true,
        isHard: options.hard === true,
        parcels: options.parcels,
        site: options.site,
        isOffline: options.offline === true,
        now: context.io.now,
        logger: {
          info: () => undefined,
          warn: (facts, message) => output.note(`${message}: ${JSON.stringify(facts)}`),
          error: (facts, message) => output.note(`${message}: ${JSON.stringify(facts)}`),
        },
        async operatorOf(operatorId) {
          const keyFile =
            options.operatorKey === undefined
              ? await findOperatorKey(dirname(keyPath), operatorId)
              : await readKeyFile(session.resolve(options.operatorKey));
          if (keyFile?.participant_id !== operatorId) {
            throw usageFailure(
              `The site's operator is ${operatorId}: give its key file with --operator-key, so that a terminal can be installed there.`,
            );
          }
          return { keyFile, client: session.connectWith(keyFile) };
        },
        testClock,
        note: (sentence) => output.note(sentence),
        signal,
        onStep(step: Step) {
          number++;
          steps.push(stepJson(step));
          printStep(output, step, number, options.parcels > 1);
        },
      }).finally(() => testClock?.stop());
      output.json(steps);
    });
};

/** A device of its own carries one parcel, which is collected. */
function checkDevice({ site, offline, recall, service, parcels, testClock }: JourneyCommandOptions): void {
  if (site === "terminal" && offline !== true) return;
  const isMore = recall === true || service === true || testClock === true || parcels > 1;
  const asked = site === "store" ? "--site store" : "--offline";
  if (isMore) throw usageFailure(`${asked} is for one parcel that is collected: omit --recall, --service, --parcels and --test-clock.`);
}

async function followGatewayClock(session: Session, signer: RequestSigner): Promise<TestClockFollower> {
  if (signer.mode === "live") throw usageFailure("--test-clock is for the test network: give a test key with --key.");
  try {
    return await followTestClock(session.connectService(TestClockService, { signer }));
  } catch (error) {
    if (error instanceof NoTestClockError)
      throw new CliFailure("The gateway has no test clock. Start it with: petak gateway --test-clock", {
        reason: "no-test-clock",
        cause: error,
      });
    throw error;
  }
}

function parseParcels(text: string): number {
  const count = Number(text);
  if (!/^[1-9][0-9]?$/.test(text) || count > 20) throw new InvalidArgumentError("Give a whole number from 1 to 20.");
  return count;
}

/** Finds a demonstration operator's key beside the courier's. */
async function findOperatorKey(keysDir: string, operatorId: string): Promise<KeyFile | undefined> {
  for (const name of await readdir(keysDir)) {
    if (!/^operator-.*\.json$/.test(name)) continue;
    const keyFile = await readKeyFile(join(keysDir, name));
    if (keyFile.participant_id === operatorId) return keyFile;
  }
  return undefined;
}

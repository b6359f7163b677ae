import { AgentStoreError, openAgentStore } from "@petak/agent";
import type { Device } from "@petak/agent/device";
import type { Command } from "commander";
import type { CommandContext, CommandModule } from "../command.ts";
import { asSentence, CliFailure, usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { registerCertificate } from "./certificate-command.ts";
import { checkCabinet } from "./check-cabinet.ts";
import { registerClerks } from "./clerk-commands.ts";
import { type CounterFlags, counterOptions } from "./counter-options.ts";
import { deviceIn, programOf } from "./enrolled-device.ts";

/** A command on a device: `petak agent run`, and `petak-agent run` where the agent is installed alone. */
export interface DeviceCommand {
  readonly name: string;
  readonly description: string;
  readonly register: CommandModule;
}

const dataDirOption = "--data-dir <folder>";

/** The commands on a device, in the order of the help. */
export const deviceCommands: readonly DeviceCommand[] = [
  {
    name: "enrol",
    description: "make this device's key, and register it by a one-time code of the site's operator; the key never leaves the device",
    register(command, context) {
      command
        .argument("<code>", "the code, as `petak agents enrol` printed it")
        .requiredOption(dataDirOption, "where the device keeps its key and its data; only its owner can read it")
        .option("--root <fingerprint>", "the fingerprint of the operator's root key: a gateway with another one is refused")
        .option("--again", "enrol anew a device of the same site whose key was revoked; it keeps its data", false)
        .action(async (code: string, options: EnrolOptions, running: Command) => {
          await enrol(context.session(running), running, code, options);
        });
    },
  },
  {
    name: "run",
    description: "run the agent of this device until it is interrupted; it calls its gateway, and listens only for a store's tablets",
    register: registerRun,
  },
  {
    name: "certificate",
    description: "make a certificate for this store's counter, and the authority that its tablets must trust, unless there is one",
    register: registerCertificate,
  },
  { name: "clerks", description: "who works at the counter of this store, each with a PIN", register: registerClerks },
  {
    name: "status",
    description: "show which site this device is enrolled for, and whether its agent runs; calls no gateway",
    register(command, context) {
      command.requiredOption(dataDirOption, "the folder of `enrol`").action(async (options: { dataDir: string }, running: Command) => {
        const session = context.session(running);
        await showStatus(session, await deviceIn(session, running, options.dataDir));
      });
    },
  },
  {
    name: "check-cabinet",
    description: "check a cabinet driver: whether it does what an agent relies on",
    register(command, context) {
      command
        .argument("<module>", "an ES module whose default export is the driver")
        .option(dataDirOption, "the folder of `enrol`, to compare the compartments with those of the site")
        .option("--open <doors...>", "doors to open, which somebody closes by hand (default: none, and no lock moves)")
        .action(async (path: string, { dataDir, open = [] }: { dataDir?: string; open?: string[] }, running: Command) => {
          const session = context.session(running);
          const device = dataDir === undefined ? undefined : await deviceIn(session, running, dataDir);
          await checkCabinet(session, path, { device, open });
        });
    },
  },
];

function registerRun(command: Command, context: CommandContext): void {
  command
    .requiredOption(dataDirOption, "the folder of `enrol`")
    .option("--cabinet <module>", "with the locks that an ES module drives; its default export is the driver")
    .option("--simulated", "with simulated doors, those of the site", false)
    .option(
      "--counter <[host:]port>",
      "as a store: its places are a shelf, and its clerks' tablets connect here (host by default: 127.0.0.1)",
    )
    .option("--app <folder>", "with --counter: the built app of the tablets (default: the one of this installation)")
    .option("--tls-cert <file>", "with --counter: the certificate chain in PEM")
    .option("--tls-key <file>", "with --counter: its key in PEM")
    .option("--plain-http", "with --counter: without a certificate on other addresses than the device's own; no camera works then", false)
    .option(
      "--supervised",
      "with --cabinet or --counter: whoever starts this program starts it again when it ends, as systemd does, so that a command may end it (exit code 75)",
      false,
    )
    .addHelpText(
      "after",
      "\nLines of standard input say what is shown at the door (code PIN, code TOKEN [PROOF [DOOR]], challenge), or sync; with --simulated and --counter also link cut and link restore.",
    )
    .action(async ({ dataDir, cabinet, simulated, supervised, counter, ...atCounter }: RunOptions, running: Command) => {
      const session = context.session(running);
      const kinds = [cabinet !== undefined, simulated, counter !== undefined].filter(Boolean).length;
      if (kinds !== 1) {
        throw usageFailure(
          "Say which doors it has: pass --cabinet MODULE for real locks, --simulated, or --counter PORT for a store's shelf.",
        );
      }
      const device = await deviceIn(session, running, dataDir);
      const { runAgent, runSimulatedAgent, runStoreAgent } = await import("./run-agent.ts");
      if (counter !== undefined)
        return await runStoreAgent(session, device, await counterOptions(session, device, counter, atCounter), supervised);
      if (cabinet === undefined) await runSimulatedAgent(session, device);
      else await runAgent(session, device, session.resolve(cabinet), supervised);
    });
}

interface RunOptions extends CounterFlags {
  dataDir: string;
  cabinet?: string;
  simulated: boolean;
  supervised: boolean;
  counter?: string;
}

interface EnrolOptions {
  dataDir: string;
  root?: string;
  again: boolean;
}

async function enrol(session: Session, running: Command, code: string, { dataDir, root, again }: EnrolOptions): Promise<void> {
  const { fingerprintOfRoot } = await import("@petak/credential");
  const { checkGatewayAddress, EnrolmentError, enrolDevice } = await import("@petak/agent/device");
  const { output } = session;
  try {
    checkGatewayAddress(session.url);
  } catch (error) {
    throw usageFailure(`${asSentence((error as Error).message)} Check --url.`);
  }
  try {
    const options = { dataDir: session.resolve(dataDir), code, url: session.url, tls: session.tls, isAgain: again, root };
    const { key, siteId, rootKey } = await enrolDevice(options);
    const pinned = rootKey && (await fingerprintOfRoot(rootKey));
    output.json({ keyId: key.key_id, siteId, participantId: key.participant_id, mode: key.mode, dataDir, root: pinned ?? null });
    output.print(`Enrolled as the agent of ${siteId}, with the key ${output.colors.cyan(key.key_id)} that stays in ${dataDir}.`);
    if (pinned !== undefined) {
      output.print(`Pinned the root key ${output.colors.cyan(pinned)}.${root === undefined ? " Compare it with your operator's." : ""}`);
    }
    output.print(`Run it:  ${output.colors.cyan(`${programOf(running)} run --data-dir ${dataDir} --simulated`)}`);
    output.print(`With real locks, --cabinet MODULE in place of --simulated.`);
  } catch (error) {
    if (error instanceof EnrolmentError) throw new CliFailure(asSentence(error.message), { reason: "enrolment", cause: error });
    throw error;
  }
}

async function showStatus({ output }: Session, { siteId, key, url, storePath }: Device): Promise<void> {
  let unsent: number | undefined;
  try {
    const store = openAgentStore(storePath);
    unsent = store.outbox.lastSequence() - store.outbox.acknowledgedSequence();
    store.close();
  } catch (error) {
    // A database that is in use is one whose agent runs.
    if (!(error instanceof AgentStoreError && error.message.includes("in use"))) throw error;
  }
  output.json({ siteId, keyId: key.key_id, mode: key.mode, url, isRunning: unsent === undefined, ...(unsent !== undefined && { unsent }) });
  output.print(`The agent of ${siteId}, with the key ${output.colors.cyan(key.key_id)} (${key.mode}), at ${url}.`);
  output.print(unsent === undefined ? "It runs." : `It does not run. Reports that the gateway has not acknowledged: ${unsent}.`);
}

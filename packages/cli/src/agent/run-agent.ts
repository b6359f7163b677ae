import { AgentStoreError } from "@petak/agent";
import { type CounterPlace, openStoreDevice } from "@petak/agent/counter";
import {
  CabinetError,
  type Device,
  type DeviceFact,
  loadDriver,
  type OpenDeviceOptions,
  openDevice,
  type RunningDevice,
} from "@petak/agent/device";
import { openSimulatedDevice, type SimulatedDevice } from "@petak/agent/simulation";
import cliPackage from "../../package.json" with { type: "json" };
import { ExitCode } from "../exit-code.ts";
import { asSentence, CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { createDeviceView } from "./device-view.ts";
import { factLine } from "./fact-line.ts";
import { type LineDevice, readLines } from "./line-commands.ts";

/** How long somebody who is watched uses an open door, in ms. */
const watchedHandMs = 1500;
const software = `petak ${cliPackage.version}`;

/**
 * Runs the agent of a device over the locks of a driver until it is interrupted, or until a command tells it to start again. It then fails with an exit code of its
 * own, by which whoever started it starts it again.
 *
 * @param isSupervised whether somebody does; otherwise such commands are refused
 */
export async function runAgent(session: Session, device: Device, driverPath: string, isSupervised: boolean): Promise<void> {
  await runUntilRestart(session, isSupervised, async (ending) =>
    openDevice({ device, tls: session.tls, driver: await loadDriver(driverPath), software, ...ending }),
  );
}

/** Runs the agent of a device over simulated doors until it is interrupted: in a terminal with its doors and keys, elsewhere line by line. */
export async function runSimulatedAgent(session: Session, device: Device): Promise<void> {
  const { output, io } = session;
  const signal = io.interruption();
  const area = output.isJson || (io.stdin() as { isTTY?: boolean }).isTTY !== true ? undefined : output.liveArea();
  if (area === undefined) {
    const tell = lineTeller(session);
    const open = () => openSimulatedDevice({ device, tls: session.tls, tell, signal, handMs: 0, software });
    return await runWith(signal, open, (running) => takeLines(session, running, signal));
  }
  const { siteId } = device;
  const view = createDeviceView({ area, stdin: io.stdin(), colors: output.errorColors, siteId, signal, now: io.now });
  try {
    const open = () => openSimulatedDevice({ device, tls: session.tls, tell: view.tell, signal, handMs: watchedHandMs, software });
    await runWith(signal, open, (opened: SimulatedDevice) => view.run(opened, opened.site()?.name ?? ""));
  } finally {
    view.end();
  }
}

/** Runs the agent of a store, with a server for its tablets, and otherwise as {@link runAgent}. */
export async function runStoreAgent(session: Session, device: Device, serves: CounterPlace, isSupervised: boolean): Promise<void> {
  await runUntilRestart(session, isSupervised, (ending) =>
    openStoreDevice({ device, tls: session.tls, software, serves, ...ending }).catch((error: unknown) => {
      const { code, message } = error as { code?: unknown; message: string };
      // Of the system, as EADDRINUSE; a gateway's refusal has a number.
      if (typeof code !== "string" || !/^E(ADDR|ACCES)/.test(code)) throw error;
      throw new CliFailure(`The counter cannot listen on ${serves.host}:${serves.port} (${message}): choose another with --counter.`, {
        reason: "counter",
        cause: error,
      });
    }),
  );
}

/** Runs a device line by line until it is interrupted, or until a command ends it. */
async function runUntilRestart(
  session: Session,
  isSupervised: boolean,
  open: (ending: Pick<OpenDeviceOptions, "tell" | "signal" | "restart">) => Promise<RunningDevice>,
): Promise<void> {
  const ending = new AbortController();
  const signal = AbortSignal.any([session.io.interruption(), ending.signal]);
  const restart = isSupervised ? () => ending.abort() : undefined;
  await runWith(
    signal,
    () => open({ tell: lineTeller(session), signal, restart }),
    (running) => takeLines(session, running, signal),
  );
  if (ending.signal.aborted) {
    throw new CliFailure("The agent ends by a command of the operator, to be started again.", {
      exitCode: ExitCode.startAgain,
      reason: "restart",
    });
  }
}

/** Writes each fact as a line. */
function lineTeller({ output, io }: Session): (fact: DeviceFact) => void {
  return (fact) => {
    output.jsonLine({ at: new Date(io.now()).toISOString(), ...fact });
    output.print(factLine(fact));
  };
}

/** Does what standard input says until the signal aborts. */
async function takeLines({ output, io }: Session, running: LineDevice, signal: AbortSignal): Promise<void> {
  await readLines(io.stdin(), running, { signal, onFailure: ({ message }) => output.note(message) });
  // Standard input may end at once, as under systemd.
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

async function runWith<Running extends RunningDevice>(
  signal: AbortSignal,
  open: () => Promise<Running>,
  until: (running: Running) => Promise<void>,
): Promise<void> {
  const opened = await open().catch((error: unknown) => {
    if (signal.aborted) return undefined;
    if (error instanceof AgentStoreError) throw new CliFailure(`${error.message}.`, { reason: "agent-store", cause: error });
    if (error instanceof CabinetError) throw new CliFailure(asSentence(error.message), { reason: "cabinet", cause: error });
    throw error;
  });
  if (opened === undefined) return;
  try {
    await until(opened);
  } finally {
    await opened.stop();
  }
}

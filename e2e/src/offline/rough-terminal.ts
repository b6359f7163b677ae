import { join } from "node:path";
import type { AgentOptions, Credential, Presentation, TestClockFollower } from "@petak/agent";
import { createSimulatedCabinet, createSimulatedTerminal, type SimulatedCabinet, type SimulatedTerminal } from "@petak/agent/simulation";
import type { Random } from "@petak/testkit";
import { copyDatabase } from "./copy-database.ts";
import { type AgentLine, createRoughLine } from "./rough-line.ts";
import type { Disks } from "./use-disks.ts";

/** When the power goes while a door opens. */
export type CutAt = "before the lock" | "after the lock";

/** A terminal whose link, power and clock fail when a test says so. Its cabinet is what is really there. */
export interface RoughTerminal {
  readonly siteId: string;
  readonly cabinet: SimulatedCabinet;
  /** The agent that runs now, with its store. */
  readonly running: SimulatedTerminal;
  /** What its agents warned of, for whoever looks for the reason of a failure. */
  readonly warnings: string[];
  isLinkCut: boolean;
  /** Whether its disk takes changes. */
  isDiskFull: boolean;
  /** Whether its sensors sometimes show nothing. */
  areSensorsWorn: boolean;
  /** How far the device's own clock is ahead of the time, in ms. */
  wrongMs: number;
  /** Makes the power go at the next opening of a door. */
  cutAt: CutAt | undefined;
  /** Shows a credential. Undefined: the power went meanwhile, and is back. */
  present(credential: Credential | (() => Promise<Credential>)): Promise<Presentation | undefined>;
  /** Cuts the power now, and starts the agent again with what is on the disk at this moment. */
  cutPower(): Promise<void>;
  stop(): Promise<void>;
}

export interface RoughTerminalOptions {
  siteId: string;
  agents: AgentLine;
  reportKey: NonNullable<AgentOptions["reportKey"]>;
  compartments: Parameters<typeof createSimulatedCabinet>[0]["compartments"];
  /** The time as it is. */
  clock: Pick<TestClockFollower, "now" | "after">;
  folder: string;
  disks: Disks;
  /** Chooses what the line loses and delivers twice. Undefined: nothing. */
  random?: Random | undefined;
}

/** One life of the agent, from start to power cut. What it does after the cut reaches neither gateway nor locks, and its disk is thrown away. */
interface Life {
  terminal: SimulatedTerminal;
  isDark: boolean;
  /** The path of what was on the disk when the power went. */
  image: string;
}

/** Makes such a terminal, and starts its agent. */
export async function startRoughTerminal(options: RoughTerminalOptions): Promise<RoughTerminal> {
  const { siteId, agents, reportKey, compartments, clock, folder, disks, random } = options;
  const reading = () => (terminal.areSensorsWorn ? (random?.float() ?? 1) : 1);
  const cabinet = createSimulatedCabinet({ compartments, random: reading, sensorFaultRate: 0.1 });
  let isDiskFull = false;
  const lineWhile = createRoughLine(agents, random);
  let lives = 0;

  function note({ err }: { err?: unknown }, message: string): void {
    terminal.warnings.push(err instanceof Error ? `${message}: ${err.message}` : message);
  }

  function goDark(life: Life): void {
    if (life.isDark) return;
    life.isDark = true;
    life.image = copyDatabase(life.terminal.storePath, join(folder, `${siteId}-${lives}.db`));
  }

  async function begin(storePath: string): Promise<Life> {
    lives += 1;
    const life: Life = { terminal: undefined as never, isDark: false, image: "" };
    const locks: SimulatedCabinet = {
      ...cabinet,
      async open(compartmentId) {
        if (life.isDark) throw new Error("there is no power");
        const { cutAt } = terminal;
        terminal.cutAt = undefined;
        if (cutAt !== "before the lock") await cabinet.open(compartmentId);
        if (cutAt === undefined) return;
        goDark(life);
        throw new Error("the power went");
      },
      onChange: (listener) => cabinet.onChange((compartmentId) => life.isDark || listener(compartmentId)),
    };
    life.terminal = createSimulatedTerminal({
      siteId,
      storePath,
      isDurable: false,
      cabinet: locks,
      client: lineWhile(() => !life.isDark && !terminal.isLinkCut),
      reportKey,
      now: () => clock.now() + terminal.wrongMs,
      elapsedMs: clock.now,
      after: (delayMs, run) => clock.after(delayMs, () => life.isDark || run()),
      random: () => random?.float() ?? 0.5,
      logger: { info: () => undefined, warn: note, error: note },
      refusalMs: 0,
    });
    if (isDiskFull) disks.setFull(storePath, true);
    await life.terminal.start();
    return life;
  }

  async function goOn(): Promise<void> {
    const ended = current;
    await ended.terminal.stop().catch(() => undefined);
    current = await begin(ended.image);
  }

  const terminal: RoughTerminal = {
    siteId,
    cabinet,
    get running() {
      return current.terminal;
    },
    warnings: [],
    isLinkCut: false,
    get isDiskFull() {
      return isDiskFull;
    },
    set isDiskFull(isFull) {
      isDiskFull = isFull;
      disks.setFull(current.terminal.storePath, isFull);
    },
    areSensorsWorn: false,
    wrongMs: 0,
    cutAt: undefined,
    async present(credential) {
      const life = current;
      const shown = await life.terminal.agent.present(typeof credential === "function" ? await credential() : credential);
      if (!life.isDark) return shown;
      await goOn();
      return undefined;
    },
    async cutPower() {
      goDark(current);
      await goOn();
    },
    stop: () => current.terminal.stop(),
  };
  let current = await begin(join(folder, `${siteId}.db`));
  return terminal;
}

/** The compartments that an agent has a parcel in, by reservation. */
export function recordedParcels({ running, cabinet }: RoughTerminal): Map<string, string> {
  const records = cabinet.compartments().map(({ compartmentId }) => running.store.compartment(compartmentId));
  return new Map(records.flatMap(({ reservationId, compartmentId }) => (reservationId === "" ? [] : [[reservationId, compartmentId]])));
}

import { Act } from "@petak/protocol";
import { type Agent, type AgentOptions, createAgent } from "../agent.ts";
import type { CabinetCompartment } from "../cabinet/cabinet.ts";
import type { Credential } from "../decision/snapshot.ts";
import type { Presentation } from "../door/door.ts";
import type { AgentLogger } from "../logger.ts";
import { type AgentStore, openAgentStore } from "../store/agent-store.ts";
import { createSimulatedCabinet, type SimulatedCabinet } from "./simulated-cabinet.ts";

/** A door that a credential opened. */
export type OpenDoor = Presentation & { opened: true };

/** Options of a terminal: those of its agent, and its surroundings. */
export interface SimulatedTerminalOptions extends Omit<AgentOptions, "store" | "cabinet" | "logger"> {
  /** Path of the agent's database; created if it does not exist. */
  storePath: string;
  /** False: the database survives a restart of the agent, but not a power failure of this machine. Default true. */
  isDurable?: boolean;
  /** The doors of a new cabinet, in which lies what the gateway knows; or a cabinet. */
  cabinet: readonly CabinetCompartment[] | SimulatedCabinet;
  /** True: the given cabinet is a new one too. Default false: what lies in it is known by it alone. */
  isNewCabinet?: boolean;
  /** Default: nothing is logged. */
  logger?: AgentLogger;
}

/** A real agent with a simulated cabinet, and simulated people. */
export interface SimulatedTerminal {
  readonly cabinet: SimulatedCabinet;
  readonly storePath: string;
  /** Replaced by {@link restart}. */
  readonly agent: Agent;
  /** Replaced by {@link restart}. */
  readonly store: AgentStore;
  /** Starts the agent; see `Agent.start`. */
  start(): Promise<boolean>;
  /** Stops the agent, and starts a new one with the same database and cabinet. @param changes options of the new agent */
  restart(changes?: Partial<AgentOptions>): Promise<boolean>;
  /** Cuts the power, and starts a new agent with what is on disk. The cabinet stays as it is. */
  cutPower(): Promise<boolean>;
  /**
   * Simulates a person who presents a credential and uses each door that opens (see {@link useDoor}). Resolves with the first door, or the refusal, once the
   * gateway has acknowledged the reports. Throws if a further door of a bundle does not open.
   */
  visit(credential: Credential): Promise<Presentation>;
  /** Puts a parcel in (DEPOSIT) or takes it out (COLLECT, RECALL), and closes the door. SERVICE: only closes the door. */
  useDoor(door: OpenDoor): void;
  /** The next door of a bundle, which opened automatically; undefined if none is open. */
  nextDoor(door: OpenDoor): OpenDoor | undefined;
  /** Stops the agent and closes its database. Idempotent. */
  stop(): Promise<void>;
}

const silent: AgentLogger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Makes a terminal and opens its database. {@link SimulatedTerminal.start} starts the agent. */
export function createSimulatedTerminal({
  storePath,
  isDurable = true,
  isNewCabinet = false,
  logger = silent,
  ...options
}: SimulatedTerminalOptions): SimulatedTerminal {
  const isGiven = "open" in options.cabinet;
  const cabinet = "open" in options.cabinet ? options.cabinet : createSimulatedCabinet({ compartments: options.cabinet });
  const onAdopted = !isGiven || isNewCabinet ? cabinet.fill : undefined;
  let isOpen = true;

  function open(changes: Partial<AgentOptions> = {}): { store: AgentStore; agent: Agent } {
    const store = openAgentStore(storePath, { isDurable });
    return { store, agent: createAgent({ ...options, ...(onAdopted && { onAdopted }), store, cabinet, logger, ...changes }) };
  }

  const terminal: SimulatedTerminal = {
    cabinet,
    storePath,
    ...open(),
    start: () => terminal.agent.start(),
    async restart(changes) {
      await terminal.stop();
      Object.assign(terminal, open(changes));
      isOpen = true;
      return await terminal.start();
    },
    async cutPower() {
      // First, so that nothing is written after the cut.
      terminal.store.close();
      await terminal.agent.stop().catch((error: unknown) => logger.warn({ err: error }, "the power was cut while the agent wrote"));
      Object.assign(terminal, open());
      isOpen = true;
      return await terminal.start();
    },
    async visit(credential) {
      const first = await terminal.agent.present(credential);
      let door = first.opened ? first : undefined;
      while (door !== undefined) {
        terminal.useDoor(door);
        await terminal.agent.flushed();
        const next = terminal.nextDoor(door);
        if (door.doorsToCome > 0 && next === undefined) throw new Error("the next door of the bundle did not open");
        door = next;
      }
      return first;
    },
    useDoor({ compartmentId, act }) {
      if (act === Act.DEPOSIT) cabinet.putIn(compartmentId);
      else if (act !== Act.SERVICE) cabinet.takeOut(compartmentId);
      cabinet.closeDoor(compartmentId);
    },
    nextDoor(door) {
      if (door.doorsToCome === 0) return undefined;
      const next = cabinet.compartments().find(({ compartmentId }) => cabinet.doorState(compartmentId) === "OPEN");
      return next && { ...door, compartmentId: next.compartmentId, doorsToCome: door.doorsToCome - 1 };
    },
    async stop() {
      if (!isOpen) return;
      isOpen = false;
      await terminal.agent.stop();
      terminal.store.close();
    },
  };
  return terminal;
}

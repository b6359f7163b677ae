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

/** Options of a terminal: those of its agent, and what stands around the agent. */
export interface SimulatedTerminalOptions extends Omit<AgentOptions, "store" | "cabinet" | "logger"> {
  /** Where the agent's database is, or will be. */
  storePath: string;
  /** The doors of a cabinet of the terminal's own, every compartment empty; or a cabinet that is there already. */
  cabinet: readonly CabinetCompartment[] | SimulatedCabinet;
  /** Default: nothing is logged. */
  logger?: AgentLogger;
}

/** A terminal in software: a real agent before a simulated cabinet, and the people who come to it. */
export interface SimulatedTerminal {
  readonly cabinet: SimulatedCabinet;
  readonly storePath: string;
  /** Another one after {@link restart}. */
  readonly agent: Agent;
  /** Another one after {@link restart}. */
  readonly store: AgentStore;
  /** Starts the agent, as `Agent.start` does. */
  start(): Promise<boolean>;
  /** Stops the agent in good order, and starts another one over the same database and cabinet. @param changes options of the new agent */
  restart(changes?: Partial<AgentOptions>): Promise<boolean>;
  /**
   * Somebody shows a credential, and at each door that opens puts a parcel in or takes one out, as the credential's act has it, and closes
   * the door. Resolves with the first door, or the refusal, when the gateway has the reports. Throws where a further door of a bundle does
   * not open.
   */
  visit(credential: Credential): Promise<Presentation>;
  /** Puts a parcel in or takes one out behind an open door, as the act has it, and closes the door. For SERVICE it only closes the door. */
  useDoor(door: OpenDoor): void;
  /** The next door of a bundle, which has opened by itself; undefined where none has. */
  nextDoor(door: OpenDoor): OpenDoor | undefined;
  /** Stops the agent and closes its database. May be called any number of times. */
  stop(): Promise<void>;
}

const silent: AgentLogger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Makes a terminal, and opens its database. The agent does not run before {@link SimulatedTerminal.start}. */
export function createSimulatedTerminal({ storePath, logger = silent, ...options }: SimulatedTerminalOptions): SimulatedTerminal {
  const cabinet = "open" in options.cabinet ? options.cabinet : createSimulatedCabinet({ compartments: options.cabinet });
  let isOpen = true;

  function open(changes: Partial<AgentOptions> = {}): { store: AgentStore; agent: Agent } {
    const store = openAgentStore(storePath);
    return { store, agent: createAgent({ ...options, store, cabinet, logger, ...changes }) };
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

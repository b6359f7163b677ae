import { type Command, CommandOutcome, CommandType } from "@petak/protocol";
import type { SiteClock } from "../clock.ts";
import { type CommandDecision, type CommandSnapshot, decideCommand } from "../decision/command-rules.ts";
import type { LogRing } from "../log-ring.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { BegunCommand } from "../store/command-records.ts";
import type { Door } from "./door.ts";
import type { Reporter } from "./reporter.ts";
import { createSerialQueue } from "./serial-queue.ts";

/** What became of a command, for people who watch a device. */
export interface CommandFact {
  readonly commandId: string;
  readonly type: string;
  readonly compartmentId: string;
  readonly outcome: string;
  /** Why it was refused or failed. Empty: it was not. */
  readonly refusal: string;
  /** The operator's words. */
  readonly reason: string;
}

export interface CommandsOptions {
  store: AgentStore;
  door: Door;
  clock: SiteClock;
  reporter: Reporter;
  logger: LogRing;
  /** The agent's key, under which keys for commands were received. */
  keyId: string;
  syncNow: () => Promise<void>;
  /** Starts the agent's program again. Undefined: it cannot. */
  restart: (() => void) | undefined;
  /** Called after reports were written. */
  onReport: () => void;
  /** Called, in the transaction of it, when compartments are out of service or back. May throw. */
  onOutOfService: () => void;
  onCommand: (fact: CommandFact) => void;
}

/** The commands of the operator, whoever relays them. */
export interface SiteCommands {
  /** Judges and obeys commands, one after another. Those that are known already are passed over. Never throws. */
  receive(commands: readonly Command[]): void;
  /** Reports what the power cut off, as soon as the disk takes it. */
  start(): Promise<void>;
  /** Resolves when nothing is in progress. */
  stop(): Promise<void>;
}

/** Period in which doors that commands open are counted, and refusals of what nobody trusted signed. In ms. */
const countedMs = 3_600_000;

/** Reports about commands that no trusted key signed, in that period: whoever has the line could send any number. */
const unprovenMax = 20;

/** Makes the commands of a site. */
export function createSiteCommands(options: CommandsOptions): SiteCommands {
  const { store, door, clock, reporter, logger, keyId, restart, onReport, onCommand } = options;
  const { commands: records } = store;
  const enqueue = createSerialQueue();
  const unproven: number[] = [];
  let isStopped = false;

  function snapshot(): CommandSnapshot {
    return {
      ...door.snapshot(),
      commandKeys: records.keys(keyId)?.keys ?? [],
      doorsInLastHour: records.countSince(CommandType.OPEN_FOR_SERVICE, clock.nowMs() - countedMs),
      canRestart: restart !== undefined,
    };
  }

  function begin(command: Command, deadlineMs: number): void {
    records.begin(command, { deadlineMs, nowMs: clock.nowMs() });
    clock.mark();
  }

  /** Reports an outcome and ends the command. Call it in the transaction of what it is the outcome of. */
  function end(command: BegunCommand, outcome: CommandOutcome, refusal = "", logLines: string[] = []): void {
    reporter.commandEnded(command, { outcome, refusal, logLines });
    records.finish(command.commandId);
  }

  function tell(command: Command, outcome: CommandOutcome, refusal = ""): void {
    const { commandId, type, compartmentId, reason } = command;
    const names = { type: nameOf(CommandType, type), outcome: nameOf(CommandOutcome, outcome) };
    logger.info({ commandId, ...names, compartmentId, refusal }, "a command ended");
    onCommand({ commandId, ...names, compartmentId, refusal, reason });
  }

  function refuse(command: Command, { refusal, isProven }: CommandDecision & { obeys: false }): void {
    const nowMs = clock.nowMs();
    while (unproven[0] !== undefined && unproven[0] <= nowMs - countedMs) unproven.shift();
    if (!isProven && unproven.length >= unprovenMax) return;
    if (!isProven) unproven.push(nowMs);
    store.transaction(() => {
      begin(command, nowMs + countedMs);
      end(command, CommandOutcome.REFUSED, refusal);
    });
    tell(command, CommandOutcome.REFUSED, refusal);
  }

  /** Obeys at a door. It is decided again when the door's turn has come: a credential that was shown meanwhile may have opened it. */
  async function obeyAtDoor(command: Command, deadlineMs: number): Promise<void> {
    const [outcome, refusal] = await door.openForCommand(command, {
      decide: async () => await decideCommand(command, snapshot(), clock.nowMs()),
      begin: () => begin(command, deadlineMs),
      end: (outcome, refusal) => end(command, outcome, refusal),
      refuse: (decision) => refuse(command, decision),
    });
    if (outcome !== undefined) tell(command, outcome, refusal);
  }

  async function sync(command: Command, deadlineMs: number): Promise<void> {
    begin(command, deadlineMs);
    const isReached = await options.syncNow().then(
      () => true,
      () => false,
    );
    const [outcome, refusal] = isReached ? ([CommandOutcome.DONE, ""] as const) : ([CommandOutcome.FAILED, "GATEWAY_NOT_REACHED"] as const);
    store.transaction(() => end(command, outcome, refusal));
    tell(command, outcome, refusal);
  }

  async function obey(command: Command): Promise<void> {
    if (isStopped || records.isKnown(command.commandId)) return;
    const decision = await decideCommand(command, snapshot(), clock.nowMs());
    if (!decision.obeys) return refuse(command, decision);
    const { deadlineMs } = decision;
    switch (command.type) {
      case CommandType.OPEN_FOR_SERVICE:
        return await obeyAtDoor(command, deadlineMs);
      case CommandType.SYNC_NOW:
        return await sync(command, deadlineMs);
      case CommandType.RESTART:
        // Reported when the agent has started again.
        begin(command, deadlineMs);
        logger.warn({ commandId: command.commandId }, "the agent starts again, by command");
        restart?.();
        return;
      default:
        store.transaction(() => {
          begin(command, deadlineMs);
          if (command.type === CommandType.COLLECT_LOGS) return end(command, CommandOutcome.DONE, "", logger.lines());
          records.setOutOfService(command.compartmentId, command.type === CommandType.TAKE_OUT_OF_SERVICE);
          // Before the outcome: whoever reads that it is done finds it at the gateway.
          options.onOutOfService();
          end(command, CommandOutcome.DONE);
        });
        tell(command, CommandOutcome.DONE);
    }
  }

  return {
    receive(commands) {
      for (const command of commands) {
        enqueue(() => obey(command)).then(onReport, (error: unknown) =>
          logger.error({ commandId: command.commandId, err: error }, "a command could not be obeyed"),
        );
      }
    },
    start() {
      let cutOff: readonly BegunCommand[] | undefined;
      return door.record(() => {
        // Read once: what begins later is not cut off.
        cutOff ??= records.unfinished();
        if (cutOff.length === 0) return;
        const ended = cutOff;
        store.transaction(() => {
          for (const command of ended) end(command, command.type === CommandType.RESTART ? CommandOutcome.DONE : CommandOutcome.UNKNOWN);
        });
      });
    },
    async stop() {
      isStopped = true;
      await enqueue(() => undefined);
    },
  };
}

function nameOf(values: Readonly<Record<string, number | string>>, value: number): string {
  return Object.entries(values).find(([, one]) => one === value)?.[0] ?? String(value);
}

import type { Socket } from "node:net";
import { Command, Redis } from "ioredis";

/** How late a timer must be, in ms, to show that this process was blocked, and not only busy with one turn of its event loop. */
const lateFromMs = 50;

let isDone = false;

/**
 * Changes the client's timeouts so that they fire only if the server did not respond, and not because this process was blocked.
 *
 * A process whose event loop was blocked runs its timers before it reads the data that has arrived meanwhile. The client would then fail
 * every command in progress, and treat a server that has long replied as unresponsive. Instead, a timer that fires late waits once more for
 * as long as it was late, and every timer lets the process read before it decides.
 *
 * Changes the client for the whole process, once: the connections of a cluster are created within the client, out of reach of options.
 */
export function makeTimeoutsPatient(): void {
  if (isDone) return;
  isDone = true;
  (Command.prototype as unknown as TimedCommand).setTimeout = setCommandTimeout;
  (Redis.prototype as unknown as TimedConnection).setSocketTimeout = setSocketTimeout;
}

/** The client's fields for the timeout of a command. */
interface TimedCommand {
  readonly isSettled: boolean;
  /** Cleared by the client when the command is settled. */
  _commandTimeoutTimer?: NodeJS.Timeout;
  setTimeout(ms: number): void;
  reject(error: Error): void;
}

function setCommandTimeout(this: TimedCommand, ms: number): void {
  if (this._commandTimeoutTimer !== undefined) return;
  startTimer({
    ms,
    keep: (timer) => {
      this._commandTimeoutTimer = timer;
    },
    isOver: () => this.isSettled,
    onSilent: () => this.reject(new Error("Command timed out")),
  });
}

/** The client's fields for the timeout of a connection, which drops one on which commands wait and nothing arrives. */
interface TimedConnection {
  readonly options: { socketTimeout?: number };
  readonly stream: Socket;
  readonly commandQueue: { length: number };
  /** Cleared by the client when the connection is closed. */
  socketTimeoutTimer?: NodeJS.Timeout | undefined;
  setSocketTimeout(): void;
}

function setSocketTimeout(this: TimedConnection): void {
  const { stream } = this;
  const ms = this.options.socketTimeout ?? 0;
  let hasArrived = false;
  startTimer({
    ms,
    keep: (timer) => {
      this.socketTimeoutTimer = timer;
    },
    isOver: () => hasArrived || stream.destroyed,
    onSilent: () => {
      this.socketTimeoutTimer = undefined;
      stream.destroy(new Error(`Socket timeout. Expecting data, but didn't receive any in ${ms}ms.`));
    },
  });
  // Runs after the client's own listener, which removes completed commands from the queue.
  stream.once("data", () => {
    hasArrived = true;
    clearTimeout(this.socketTimeoutTimer);
    this.socketTimeoutTimer = undefined;
    if (this.commandQueue.length > 0) this.setSocketTimeout();
  });
}

interface PatientTimer {
  /** In ms. */
  ms: number;
  /** Stores the running timer, so that it can be cleared. */
  keep(timer: NodeJS.Timeout): void;
  /** Whether a reply has arrived. */
  isOver(): boolean;
  onSilent(): void;
}

function startTimer({ ms, keep, isOver, onSilent }: PatientTimer): void {
  const decide = () => {
    if (!isOver()) onSilent();
  };
  // Data that has arrived is read between a timer and an immediate that the timer sets.
  const readFirst = () => void setImmediate(decide);
  const dueMs = performance.now() + ms;
  const onDue = () => {
    const lateMs = performance.now() - dueMs;
    if (lateMs > lateFromMs) keep(setTimeout(readFirst, Math.min(lateMs, ms)));
    else readFirst();
  };
  keep(setTimeout(onDue, ms));
}

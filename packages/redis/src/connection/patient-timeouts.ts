import type { Socket } from "node:net";
import { Command, Redis } from "ioredis";

/** How late a timer is, in ms, where this process was kept from running and not only busy with a turn of its event loop. */
const lateFromMs = 50;

let isDone = false;

/**
 * Makes the client's time-outs mean that the server was silent, and not that this process could not listen.
 *
 * A process whose event loop was blocked runs its timers before it reads what has arrived meanwhile. The client then fails every command under way
 * and takes a server that has long answered for one that hangs. Instead, a timer that fires late waits once more, for as long as it was late, and
 * every timer lets the process read before it decides.
 *
 * This changes the client for the whole process, once: a cluster's connections are made within the client, where nothing can be handed in.
 */
export function makeTimeoutsPatient(): void {
  if (isDone) return;
  isDone = true;
  (Command.prototype as unknown as TimedCommand).setTimeout = setCommandTimeout;
  (Redis.prototype as unknown as TimedConnection).setSocketTimeout = setSocketTimeout;
}

/** What the client has of a command's time-out. */
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

/** What the client has of the time-out of a connection, by which it gives up one on which commands wait and nothing arrives. */
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
  // It comes after the client's own listener, which takes answered commands off the queue.
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
  /** Takes the timer that runs, for whoever clears it. */
  keep(timer: NodeJS.Timeout): void;
  /** Whether an answer has come. */
  isOver(): boolean;
  onSilent(): void;
}

function startTimer({ ms, keep, isOver, onSilent }: PatientTimer): void {
  const decide = () => {
    if (!isOver()) onSilent();
  };
  // What has arrived is read between a timer and what is set immediate by it.
  const readFirst = () => void setImmediate(decide);
  const dueMs = performance.now() + ms;
  const onDue = () => {
    const lateMs = performance.now() - dueMs;
    if (lateMs > lateFromMs) keep(setTimeout(readFirst, Math.min(lateMs, ms)));
    else readFirst();
  };
  keep(setTimeout(onDue, ms));
}

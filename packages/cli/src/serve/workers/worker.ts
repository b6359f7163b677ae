import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import type { Config, Logger } from "@petak/gateway";
import { CliFailure } from "../../failure.ts";
import type { FromWorker, ToWorker, WorkerReport } from "./messages.ts";

/** How long a worker may take to end beyond the time that calls in flight get, in ms. */
const endTimeoutMs = 10_000;

/** A process that serves. */
export interface RunningWorker {
  /** From 1. The one that replaces it has the same. */
  readonly number: number;
  /** A number that no other process of this gateway ever has. */
  readonly id: number;
  readonly pid: number;
  readonly url: string;
  /** Resolves when the process has ended, with what it said of it. */
  readonly ended: Promise<WorkerEnd>;
  /** Undefined: it does not answer in time. */
  report(timeoutMs: number): Promise<WorkerReport | undefined>;
  /** Lets it read the files of the port's certificate. */
  reload(): void;
  /** Lets it complete the calls in flight, and waits until it has ended. */
  stop(): Promise<void>;
}

/** How a worker ended. */
export interface WorkerEnd {
  readonly failure: CliFailure | undefined;
  /** For people, e.g. `by SIGKILL`. */
  readonly how: string;
  /** Whether it was asked to, by SIGTERM, and has completed its calls. */
  readonly isAsked: boolean;
}

/**
 * Starts a worker. Resolves when it accepts calls.
 *
 * @throws {CliFailure} if it cannot serve
 */
export async function startWorker(number: number, config: Config, cwd: string, logger: Logger): Promise<RunningWorker> {
  cluster.setupPrimary({ exec: fileURLToPath(new URL("./worker-main.ts", import.meta.url)), args: [], serialization: "advanced" });
  const worker = cluster.fork();
  closeWhatItWasGiven(worker);
  const ended = Promise.withResolvers<WorkerEnd>();
  const reports = new Map<number, (report: WorkerReport | undefined) => void>();
  const listening = Promise.withResolvers<string>();
  let failure: CliFailure | undefined;
  let asked = 0;

  worker.on("message", (message: FromWorker) => {
    if (message.kind === "listening") listening.resolve(message.url);
    else if (message.kind === "failed") failure = new CliFailure(message.message, { reason: message.reason });
    else reports.get(message.number)?.(message.report);
  });
  worker.on("error", (error) => {
    logger.error({ err: error, worker: number }, "a worker cannot be reached");
    // A process that could not be made does not end either.
    if (worker.process.pid === undefined) ended.resolve({ failure, how: `because ${error.message}`, isAsked: false });
  });
  worker.on("exit", (code, signal) => {
    for (const answer of reports.values()) answer(undefined);
    ended.resolve({ failure, how: signal === null ? `with code ${code}` : `by ${signal}`, isAsked: code === 0 });
  });
  tell(worker, { kind: "serve", worker: number, config, cwd });
  const url = await Promise.race([listening.promise, ended.promise]);
  if (typeof url !== "string") throw url.failure ?? new CliFailure(`A worker ended ${url.how} before it accepted calls.`);

  return {
    number,
    id: worker.id,
    pid: worker.process.pid ?? 0,
    url,
    ended: ended.promise,
    async report(timeoutMs) {
      const question = ++asked;
      const answered = Promise.withResolvers<WorkerReport | undefined>();
      reports.set(question, answered.resolve);
      const timer = setTimeout(() => answered.resolve(undefined), timeoutMs);
      tell(worker, { kind: "report", number: question });
      return await answered.promise.finally(() => {
        clearTimeout(timer);
        reports.delete(question);
      });
    },
    reload: () => tell(worker, { kind: "reload" }),
    async stop() {
      tell(worker, { kind: "stop" });
      const timer = setTimeout(() => {
        logger.error({ worker: number }, "a worker does not end, and is killed");
        worker.process.kill("SIGKILL");
      }, config.shutdownGraceMs + endTimeoutMs);
      await ended.promise.finally(() => clearTimeout(timer));
    },
  };
}

/** A worker that is gone needs no telling: its end is seen. */
function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => {});
}

/**
 * Closes the connection that a worker was being given when it died. Node has forgotten it: it would stay open for as long as this process lives, and its
 * client would wait for an answer.
 */
function closeWhatItWasGiven(worker: Worker): void {
  const { process: child } = worker;
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  let given: { close?(): void } | undefined;
  child.send = (...args: unknown[]) => {
    // A connection, and not what is called when a message is sent. The next one follows when the worker has accepted it.
    const [, handle] = args;
    if (typeof handle === "object" && handle !== null) given = handle;
    return send(...args);
  };
  // One that the worker has accepted is closed here already, which closing it again does not change.
  worker.once("exit", () => given?.close?.());
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { lockDataDir } from "./data-dir-lock.ts";
import { findRedisServer, type RedisFlavour, type RedisServerProgram } from "./find-redis-server.ts";
import { guardServer } from "./guard.ts";
import { endLeftOver } from "./left-over.ts";
import { readLogTail } from "./log-tail.ts";
import { removePidFile, writePidFile } from "./pid-file.ts";
import { ping } from "./ping.ts";
import { makePrivateDir } from "./private-dir.ts";
import { RedisServerError } from "./redis-server-error.ts";
import { type Appendfsync, type ClusterNodeConfig, formatServerConfig } from "./server-config.ts";
import { chooseSocketPath } from "./socket-path.ts";
import { feedBytes, rewriteLog } from "./torn-log.ts";

/** How a private server is started. */
export interface StartRedisServerOptions {
  /** Where it keeps its data: a directory for it alone, made if it is not there, and closed to other users. */
  dataDir: string;
  /** Which server. Default: Redis if it is installed, else Valkey. Both read the same log, but never one that the other's newer version wrote. */
  flavour?: RedisFlavour;
  /**
   * How often the log is forced to disk. Default `everysec`: a crash of the machine (not of the process) may lose the last second. With
   * `always` it loses nothing that was answered, at the price of a disk write for every round of commands.
   */
  appendfsync?: Appendfsync;
  /** A TCP port on 127.0.0.1 beside the socket, for tools that know no sockets. Default 0: none, because any local user could connect to it. */
  port?: number;
  /** Makes it one of a cluster, which knows no others and has no slots yet. It needs a port then. Default: a server by itself. */
  cluster?: ClusterNodeConfig;
  /**
   * The longest silence at the start, in ms; default 30,000. A server that says it is reading its log is given as long as that takes: a large
   * log is no reason to refuse to start.
   */
  startTimeoutMs?: number;
  /** How long a server has to end in good order, in ms, before it is killed; default 10,000. It has only its buffers to write by then. */
  stopTimeoutMs?: number;
  /** Where to look for the program, written as in `PATH`. Default: `PATH`. */
  searchPath?: string;
  /** Gets each line of the server's log. Default: only the last lines are kept, for error messages. */
  onLog?: (line: string) => void;
  /** Gives up starting: what was begun is undone. */
  signal?: AbortSignal;
}

/** How a server ended: by itself with a code, or by a signal. */
export interface RedisServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A private server that answers. */
export interface RedisServer {
  /** Path of its Unix socket. */
  readonly socketPath: string;
  /** Its TCP port on 127.0.0.1, if it was given one. */
  readonly port: number | undefined;
  readonly flavour: RedisFlavour;
  readonly version: string;
  readonly pid: number;
  /** Ends it in good order, and kills it if it takes longer than `stopTimeoutMs`. May be called any number of times. */
  stop(): Promise<void>;
  /** Settles when it has ended, for whatever reason, and its directory is free again. Never rejects. */
  readonly exited: Promise<RedisServerExit>;
}

/** Between two questions whether it answers yet. A start takes some 30 ms. */
const pollMs = 10;

/** How long one question waits for its answer. */
const pingTimeoutMs = 1_000;

/**
 * Starts a Redis or Valkey of one's own: on a Unix socket that no other user can open, with every write in an append-only log, never evicting.
 * Resolves once it has read its log back and answers.
 *
 * One server runs over a data directory at a time. A second start over it, in this process or another, is refused. The server ends with
 * the process that started it, even if that is killed; should it survive all the same, the next start over the directory ends it first.
 *
 * @throws RedisServerError with a code and a message for a person
 */
export async function startRedisServer(options: StartRedisServerOptions): Promise<RedisServer> {
  const { startTimeoutMs = 30_000, stopTimeoutMs = 10_000, appendfsync = "everysec", port = 0, signal } = options;
  signal?.throwIfAborted();
  const program = await findRedisServer(options);
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  // The real path: one directory must not have two locks because it has two names.
  const dataDir = await realpath(options.dataDir);
  await makePrivateDir(dataDir);
  const { socketPath, socketDir } = chooseSocketPath(dataDir);
  if (socketDir !== undefined) await makePrivateDir(socketDir);
  const unlock = await lockDataDir(dataDir);
  const configPath = join(dataDir, "server.conf");
  try {
    await endLeftOver(dataDir, configPath, stopTimeoutMs);
    await rm(socketPath, { force: true });
    await writeFile(configPath, formatServerConfig({ dataDir, socketPath, port, appendfsync, cluster: options.cluster }), { mode: 0o600 });
  } catch (error) {
    unlock();
    throw error;
  }

  const bytesBefore = await feedBytes(dataDir);
  const child = launch(program, configPath, dataDir);
  const logTail = readLogTail([child.stdout, child.stderr], options.onLog);
  const unguard = child.pid === undefined ? () => {} : guardServer(child.pid);
  const exited = awaitExit(child).then(async (exit) => {
    unguard();
    // What cannot be removed does no harm: the next start looks at it, and removes it itself.
    await Promise.allSettled([removePidFile(dataDir), rm(socketDir ?? socketPath, { recursive: true, force: true })]);
    unlock();
    return exit;
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await exited;
    clearTimeout(killer);
  };

  try {
    if (child.pid !== undefined) await writePidFile(dataDir, { serverPid: child.pid, ownerPid: process.pid });
    const problem = await awaitAnswer({ socketPath, exited, startTimeoutMs, signal });
    if (problem !== undefined) throw new RedisServerError(problem.code, `${program.path} ${problem.message} ${logTail()}`);
    if ((await feedBytes(dataDir)) < bytesBefore) await rewriteLog(socketPath, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  const { flavour, version } = program;
  return { socketPath, port: port === 0 ? undefined : port, flavour, version, pid: child.pid ?? 0, stop, exited };
}

function launch(program: RedisServerProgram, configPath: string, dataDir: string) {
  return spawn(program.path, [configPath], {
    cwd: dataDir,
    stdio: ["ignore", "pipe", "pipe"],
    // A session of its own: Ctrl-C in a terminal goes to the whole group, and the gateway still needs its data to finish what is in flight.
    detached: true,
    // A server refuses to start under a locale that is not installed, which is common over SSH and in containers.
    env: { ...process.env, LC_ALL: "C" },
  });
}

async function awaitExit(child: ChildProcess): Promise<RedisServerExit> {
  try {
    // Not "exit": only by "close" has the last of the log been read.
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    return { code, signal };
  } catch {
    // It could not be launched at all.
    return { code: null, signal: null };
  }
}

interface StartProblem {
  code: "START_FAILED" | "START_TIMED_OUT";
  message: string;
}

async function awaitAnswer(start: {
  socketPath: string;
  exited: Promise<RedisServerExit>;
  startTimeoutMs: number;
  signal: AbortSignal | undefined;
}): Promise<StartProblem | undefined> {
  let exit: RedisServerExit | undefined;
  void start.exited.then((value) => {
    exit = value;
  });
  let lastSignOfLifeMs = performance.now();
  while (performance.now() - lastSignOfLifeMs < start.startTimeoutMs) {
    start.signal?.throwIfAborted();
    if (exit !== undefined) {
      return { code: "START_FAILED", message: `ended at its start (${exit.signal ?? `exit code ${exit.code}`}).` };
    }
    const reply = await ping(start.socketPath, Math.min(pingTimeoutMs, start.startTimeoutMs));
    if (reply === "PONG") return undefined;
    if (reply === "LOADING") lastSignOfLifeMs = performance.now();
    await delay(pollMs);
  }
  return { code: "START_TIMED_OUT", message: `did not answer within ${start.startTimeoutMs} ms.` };
}

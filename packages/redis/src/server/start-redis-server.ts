import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { lockDataDir } from "./data-dir-lock.ts";
import { findRedisServer, type RedisFlavour, type RedisServerProgram } from "./find-redis-server.ts";
import { guardServer } from "./guard.ts";
import { readLogTail } from "./log-tail.ts";
import { endOrphanedServer } from "./orphaned-server.ts";
import { removePidFile, writePidFile } from "./pid-file.ts";
import { ping } from "./ping.ts";
import { makePrivateDir } from "./private-dir.ts";
import { RedisServerError } from "./redis-server-error.ts";
import { type Appendfsync, type ClusterNodeConfig, formatServerConfig } from "./server-config.ts";
import { chooseSocketPath } from "./socket-path.ts";
import { incrementalAofBytes, rewriteAof } from "./truncated-aof.ts";

/** Options of {@link startRedisServer}. */
export interface StartRedisServerOptions {
  /** Data directory, used by this server alone; created if missing, and made inaccessible to other users. */
  dataDir: string;
  /**
   * Which server to run. Default: Redis if it is installed, else Valkey. Both read the same files, except files written by a newer version
   * of the other.
   */
  flavour?: RedisFlavour;
  /**
   * When the append-only file is synced to disk. Default `everysec`: a crash of the machine (not of the process) may lose the last second
   * of writes. With `always` no acknowledged write is lost, at the cost of a disk write for every batch of commands.
   */
  appendfsync?: Appendfsync;
  /**
   * TCP port on 127.0.0.1 in addition to the socket, for tools without socket support. Default 0: none, because any local user could
   * connect to it.
   */
  port?: number;
  /** Starts a cluster node, which initially knows no other nodes and has no slots. Requires `port`. Default: a standalone server. */
  cluster?: ClusterNodeConfig;
  /**
   * Longest time without an answer during the start, in ms; default 30,000. Time in which the server reports that it is loading does not
   * count, since a large file is no reason to fail.
   */
  startTimeoutMs?: number;
  /** Time for an orderly shutdown, in ms, before the server is killed; default 10,000. It only has to flush its buffers. */
  stopTimeoutMs?: number;
  /** Directories to search for the program, in the syntax of `PATH`. Default: `PATH`. */
  searchPath?: string;
  /** Called with each line of the server's log. Default: only the last lines are kept, for error messages. */
  onLog?: (line: string) => void;
  /** Aborts the start and undoes what it has done. */
  signal?: AbortSignal;
}

/** How a server ended: with an exit code, or by a signal. */
export interface RedisServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A running private server. */
export interface RedisServer {
  /** Path of its Unix socket. */
  readonly socketPath: string;
  /** Its TCP port on 127.0.0.1, if one was requested. */
  readonly port: number | undefined;
  readonly flavour: RedisFlavour;
  readonly version: string;
  readonly pid: number;
  /** Shuts the server down, killing it after `stopTimeoutMs`. Idempotent. */
  stop(): Promise<void>;
  /** Resolves when the server has ended for any reason and its directory is free again. Never rejects. */
  readonly exited: Promise<RedisServerExit>;
}

/** Interval between pings during the start, in ms. A start takes some 30 ms. */
const pollMs = 10;

/** Timeout of one ping, in ms. */
const pingTimeoutMs = 1_000;

/**
 * Starts a private Redis or Valkey server on a Unix socket that no other user can open, with an append-only file and no eviction. Resolves
 * when the server has loaded its data and answers.
 *
 * Only one server runs on a data directory at a time; a second start, in this process or another, is refused. The server ends with the
 * process that started it, even if that is killed; should it survive, the next start on the directory ends it first.
 *
 * @throws RedisServerError with a code and a message for a person
 */
export async function startRedisServer(options: StartRedisServerOptions): Promise<RedisServer> {
  const { startTimeoutMs = 30_000, stopTimeoutMs = 10_000, appendfsync = "everysec", port = 0, signal } = options;
  signal?.throwIfAborted();
  const program = await findRedisServer(options);
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  // The real path, so that one directory under two names has one lock.
  const dataDir = await realpath(options.dataDir);
  await makePrivateDir(dataDir);
  const { socketPath, socketDir } = chooseSocketPath(dataDir);
  if (socketDir !== undefined) await makePrivateDir(socketDir);
  const unlock = await lockDataDir(dataDir);
  const configPath = join(dataDir, "server.conf");
  try {
    await endOrphanedServer(dataDir, configPath, stopTimeoutMs);
    await rm(socketPath, { force: true });
    await writeFile(configPath, formatServerConfig({ dataDir, socketPath, port, appendfsync, cluster: options.cluster }), { mode: 0o600 });
  } catch (error) {
    unlock();
    throw error;
  }

  const bytesBefore = await incrementalAofBytes(dataDir);
  const child = launch(program, configPath, dataDir);
  const logTail = readLogTail([child.stdout, child.stderr], options.onLog);
  const unguard = child.pid === undefined ? () => {} : guardServer(child.pid);
  const exited = awaitExit(child).then(async (exit) => {
    unguard();
    // Files that cannot be removed do no harm: the next start checks and removes them.
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
    if ((await incrementalAofBytes(dataDir)) < bytesBefore) await rewriteAof(socketPath, signal);
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
    // A session of its own: Ctrl-C in a terminal signals the whole process group, and the gateway still needs its data to finish requests
    // in flight.
    detached: true,
    // A server does not start under a locale that is not installed, which is common over SSH and in containers.
    env: { ...process.env, LC_ALL: "C" },
  });
}

async function awaitExit(child: ChildProcess): Promise<RedisServerExit> {
  try {
    // Not "exit": only "close" comes after the last output has been read.
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    return { code, signal };
  } catch {
    // The process could not be spawned.
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
      return { code: "START_FAILED", message: `ended during its start (${exit.signal ?? `exit code ${exit.code}`}).` };
    }
    const reply = await ping(start.socketPath, Math.min(pingTimeoutMs, start.startTimeoutMs));
    if (reply === "PONG") return undefined;
    if (reply === "LOADING") lastSignOfLifeMs = performance.now();
    await delay(pollMs);
  }
  return { code: "START_TIMED_OUT", message: `did not answer within ${start.startTimeoutMs} ms.` };
}

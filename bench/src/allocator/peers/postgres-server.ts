import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";

/** A running private PostgreSQL. */
export interface PostgresServer {
  /** The folder of its Unix socket. */
  socketDir: string;
  /** Its first process, the ancestor of all others. */
  pid: number;
  version: string;
  stop(): Promise<void>;
}

/** The message if PostgreSQL is not installed. */
export const installPostgres =
  "PostgreSQL 17 with PostGIS is not installed; on Debian: apt-get install postgresql-17 postgresql-17-postgis-3";

/** Debian's folder of the programs, which is not on the PATH. */
const debianDir = "/usr/lib/postgresql/17/bin";

/** The account for PostgreSQL if the bench runs as root, which PostgreSQL refuses. Created by Debian's package. */
const account = "postgres";

/**
 * Tuning: all data and indexes in memory, no checkpoint within a run, no replanning, no JIT compilation, frequent autovacuum. Statements
 * are planned while the tables are empty, when a sequential scan looks cheapest, so sequential scans are disabled. `synchronous_commit` is
 * set by each connection.
 */
const settings = {
  listen_addresses: "",
  max_connections: 64,
  shared_buffers: "1GB",
  effective_cache_size: "4GB",
  work_mem: "16MB",
  wal_buffers: "64MB",
  min_wal_size: "2GB",
  max_wal_size: "16GB",
  checkpoint_timeout: "30min",
  random_page_cost: 1.1,
  jit: "off",
  max_parallel_workers_per_gather: 0,
  plan_cache_mode: "force_generic_plan",
  enable_seqscan: "off",
  autovacuum_naptime: "5s",
  autovacuum_vacuum_cost_limit: 2000,
  update_process_title: "off",
};

/** Timeout of a start, and interval of the checks whether it has started, in ms. */
const startTimeoutMs = 30_000;
const pollMs = 50;

/** The folder of the programs of a PostgreSQL with PostGIS; undefined if there is none. */
export function findPostgres(): string | undefined {
  return [debianDir, ...(process.env.PATH ?? "").split(delimiter)].find((dir) => {
    if (!existsSync(join(dir, "initdb")) || !existsSync(join(dir, "pg_config"))) return false;
    const shareDir = execFileSync(join(dir, "pg_config"), ["--sharedir"], { encoding: "utf8" }).trim();
    return existsSync(join(shareDir, "extension/postgis.control"));
  });
}

/** Starts a private PostgreSQL in a temporary folder; undefined if it is not installed. */
export async function startPostgres(): Promise<PostgresServer | undefined> {
  const binDir = findPostgres();
  if (binDir === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "petak-pg-"));
  const owner = process.getuid?.() === 0 ? accountIds() : undefined;
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
  const dataDir = join(folder, "data");
  const run = { cwd: folder, env: { ...process.env, LC_ALL: "C" }, ...owner };
  execFileSync(join(binDir, "initdb"), ["-D", dataDir, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"], {
    ...run,
    stdio: "ignore",
  });
  const lines = Object.entries({ ...settings, unix_socket_directories: folder }).map(([name, value]) => `${name} = '${value}'`);
  await writeFile(join(dataDir, "postgresql.auto.conf"), `${lines.join("\n")}\n`);
  const child = spawn(join(binDir, "postgres"), ["-D", dataDir], { ...run, stdio: "ignore" });
  const exited = once(child, "exit");
  const stop = async () => {
    // A fast shutdown ends the sessions instead of waiting for them.
    child.kill("SIGINT");
    await exited;
    await rm(folder, { recursive: true });
  };
  try {
    const version = await firstAnswer(folder, () => child.exitCode !== null);
    return { socketDir: folder, pid: child.pid ?? 0, version, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A connection as the bench uses it. */
export async function connectPostgres(socketDir: string): Promise<pg.Client> {
  const client = new pg.Client({ host: socketDir, user: "postgres", database: "postgres" });
  await client.connect();
  return client;
}

async function firstAnswer(socketDir: string, hasEnded: () => boolean): Promise<string> {
  const untilMs = performance.now() + startTimeoutMs;
  for (;;) {
    try {
      const client = await connectPostgres(socketDir);
      const { rows } = await client.query<{ server_version: string }>("SHOW server_version");
      await client.end();
      return rows[0]?.server_version.split(" ")[0] ?? "";
    } catch (error) {
      if (hasEnded() || performance.now() > untilMs) throw new Error("PostgreSQL does not start", { cause: error });
      await delay(pollMs);
    }
  }
}

function accountIds(): { uid: number; gid: number } {
  const id = (option: string) => Number(execFileSync("id", [option, account], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

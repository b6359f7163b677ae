import type { Redis } from "ioredis";
import { isCluster, type RedisConnection } from "../connection/connect-redis.ts";

/** How safe a change is when it is acknowledged, weakest first. */
export const durabilityLevels = ["everysec", "always", "replicated"] as const;

/** How safe a change is when it is acknowledged. */
export type DurabilityLevel = (typeof durabilityLevels)[number];

/** Findings about the servers of the store; each is a sentence for the operator. */
export interface DurabilityFindings {
  /** Settings that contradict the durability level. */
  contradictions: string[];
  /** Settings that the server does not disclose. */
  unknown: string[];
}

/** Settings of one server; undefined where it does not disclose them. */
interface ServerFacts {
  appendonly: string | undefined;
  appendfsync: string | undefined;
  "maxmemory-policy": string | undefined;
  "no-appendfsync-on-rewrite": string | undefined;
  role: string | undefined;
  /** Whether the user `default` may write, enabled or not. */
  canDefaultWrite: boolean | undefined;
}

const asked = ["appendonly", "appendfsync", "maxmemory-policy", "no-appendfsync-on-rewrite"] as const;

/**
 * Checks whether the servers of a connection are configured for a durability level. Reads `CONFIG GET`, or `INFO` where a hosted server
 * forbids that, and asks `ACL DRYRUN` what the user `default` may do.
 */
export async function inspectDurability(connection: RedisConnection, level: DurabilityLevel): Promise<DurabilityFindings> {
  const servers = isCluster(connection) ? connection.nodes("master") : [connection];
  const findings: DurabilityFindings = { contradictions: [], unknown: [] };
  for (const server of servers) {
    const name = isCluster(connection) ? `The Redis server ${server.options.host}:${server.options.port}` : "The Redis server";
    judge(name, await factsOf(server), level, findings);
  }
  return findings;
}

function judge(name: string, facts: ServerFacts, level: DurabilityLevel, { contradictions, unknown }: DurabilityFindings): void {
  const { appendonly, appendfsync, "maxmemory-policy": eviction, "no-appendfsync-on-rewrite": rewrite, role, canDefaultWrite } = facts;
  if (role !== undefined && role !== "master") contradictions.push(`${name} is a replica (role:${role}); give the address of its master.`);
  if (appendonly === undefined) unknown.push(`${name} does not disclose whether it keeps an append-only file (appendonly).`);
  else if (appendonly !== "yes") {
    contradictions.push(`${name} has appendonly ${appendonly}: a restart loses all data; set appendonly yes.`);
  }
  if (eviction === undefined) unknown.push(`${name} does not disclose its maxmemory-policy.`);
  else if (eviction !== "noeviction") {
    contradictions.push(`${name} has maxmemory-policy ${eviction}: it evicts data when memory runs out; set noeviction.`);
  }
  const accepted = level === "always" ? ["always"] : ["everysec", "always"];
  if (appendfsync === undefined) unknown.push(`${name} does not disclose when it syncs its append-only file to disk (appendfsync).`);
  else if (!accepted.includes(appendfsync)) {
    contradictions.push(`${name} has appendfsync ${appendfsync}; durability ${level} needs ${accepted.join(" or ")}.`);
  }
  if (rewrite === "yes") {
    contradictions.push(
      `${name} has no-appendfsync-on-rewrite yes: while it rewrites its append-only file it syncs nothing to disk, for minutes; set no-appendfsync-on-rewrite no.`,
    );
  }
  // Servers without the fix of redis/redis#14541 or valkey-io/valkey#3983 drop what `default` may not do: each transaction, so all that scripts wrote.
  if (canDefaultWrite === undefined) unknown.push(`${name} does not disclose whether its user default may write (ACL DRYRUN).`);
  else if (!canDefaultWrite) {
    contradictions.push(
      `${name} has a user default without rights, with which it reads its append-only file back: a restart loses all that scripts wrote; give it rights and no access by ACL SETUSER default off resetpass ~* &* +@all, and write the same into the ACL file.`,
    );
  }
}

async function factsOf(server: Redis): Promise<ServerFacts> {
  const [config, info, canDefaultWrite] = await Promise.all([configOf(server), infoOf(server), askDefaultUser(server)]);
  const enabled = info.get("aof_enabled");
  return {
    appendonly: config.get("appendonly") ?? (enabled === undefined ? undefined : enabled === "1" ? "yes" : "no"),
    appendfsync: config.get("appendfsync"),
    "maxmemory-policy": config.get("maxmemory-policy") ?? info.get("maxmemory_policy"),
    "no-appendfsync-on-rewrite": config.get("no-appendfsync-on-rewrite"),
    role: info.get("role"),
    canDefaultWrite,
  };
}

async function askDefaultUser(server: Redis): Promise<boolean | undefined> {
  const answer = await server.call("ACL", "DRYRUN", "default", "SET", "petak:durability", "").catch(refused);
  return answer === undefined ? undefined : answer === "OK";
}

async function configOf(server: Redis): Promise<Map<string, string>> {
  const pairs = new Map<string, string>();
  for (const name of asked) {
    const answer = await server.config("GET", name).catch(refused);
    const [, value] = (answer ?? []) as string[];
    if (value !== undefined) pairs.set(name, value);
  }
  return pairs;
}

async function infoOf(server: Redis): Promise<Map<string, string>> {
  const pairs = new Map<string, string>();
  for (const section of ["persistence", "memory", "replication"]) {
    const text = (await server.info(section).catch(refused)) ?? "";
    for (const line of text.split("\r\n")) {
      const [name = "", value] = line.split(":");
      if (value !== undefined) pairs.set(name, value);
    }
  }
  return pairs;
}

/** A server that forbids the question is no failure; an unreachable one is. */
function refused(error: unknown): undefined {
  if (error instanceof Error && /^(NOPERM|ERR unknown command|ERR .*CONFIG)/i.test(error.message)) return undefined;
  throw error;
}

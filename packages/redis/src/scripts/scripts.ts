import { createHash } from "node:crypto";
import { Command } from "ioredis";
import type { RedisConnection } from "../connection/connect-redis.ts";
import { noteKey } from "../durability/write-scope.ts";
import { recordedCommand } from "../tracing/recorded-command.ts";
import { loadScript } from "./load-script.ts";
import { notifyKeysTouched } from "./touched-keys.ts";

/** A script's arguments: texts, numbers and bytes. */
export type ScriptArgument = string | number | Buffer;

/** A script's reply: a tag, then what goes with it. */
export type ScriptReply = [tag: string, ...rest: (Buffer | number)[]];

/** Runs one script by its digest; sends its source if the server does not have it. */
export type RunScript = (redis: RedisConnection, keys: string[], args: ScriptArgument[]) => Promise<ScriptReply>;

/**
 * Two commands that ioredis has and its types lack: EVALSHA and EVAL with binary replies. Like all named commands they are pipelined with
 * other commands of the same turn.
 */
interface ScriptingRedis {
  evalshaBuffer(digest: string, numberOfKeys: number, ...rest: ScriptArgument[]): Promise<unknown>;
  evalBuffer(source: string, numberOfKeys: number, ...rest: ScriptArgument[]): Promise<unknown>;
}

/** Options of a script. */
export interface ScriptOptions {
  /**
   * Whether it is sent at once by itself, for scripts that are already batched. Default false: pipelined with other commands of the same
   * turn.
   */
  isSentAtOnce?: boolean;
  /** Whether it changes nothing, so that caches need no invalidation. Default false. */
  isReadOnly?: boolean;
}

/** Creates a script by its name. Bulk strings in replies are Buffers. */
export type CreateScript = (name: string, options?: ScriptOptions) => RunScript;

/** Returns the function that creates scripts from a folder of Lua files. */
export function scriptsIn(luaDir: string): CreateScript {
  return (name, options) => createScript(name, loadScript(luaDir, name), options);
}

function createScript(name: string, source: string, { isSentAtOnce = false, isReadOnly = false }: ScriptOptions = {}): RunScript {
  const digest = createHash("sha1").update(source).digest("hex");
  return async (connection, keys, args) => {
    const redis = connection as unknown as ScriptingRedis;
    const [key] = keys;
    // A recording connection intercepts named commands only, not `sendCommand`.
    if (isSentAtOnce && key !== undefined) noteKey(connection, key);
    const send = (): Promise<unknown> =>
      isSentAtOnce
        ? (connection.sendCommand(
            new Command("evalsha", [digest, keys.length, ...keys, ...args], { replyEncoding: null }),
          ) as Promise<unknown>)
        : redis.evalshaBuffer(digest, keys.length, ...keys, ...args);
    let reply: unknown;
    try {
      reply = await recordedCommand("EVALSHA", name, send);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      reply = await recordedCommand("EVAL", name, () => redis.evalBuffer(source, keys.length, ...keys, ...args));
    } finally {
      if (!isReadOnly) notifyKeysTouched(connection, keys);
    }
    const [tag, ...values] = reply as [Buffer, ...(Buffer | number)[]];
    return [tag.toString(), ...values];
  };
}

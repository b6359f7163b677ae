import { createHash } from "node:crypto";
import { Command } from "ioredis";
import type { RedisConnection } from "../connection/connect-redis.ts";
import { noteKey } from "../durability/write-scope.ts";
import { loadScript } from "./load-script.ts";
import { tellKeysTouched } from "./touched-keys.ts";

/** A script's arguments: texts, numbers and bytes. */
export type ScriptArgument = string | number | Buffer;

/** A script's reply: a tag, then what goes with it. */
export type ScriptReply = [tag: string, ...rest: (Buffer | number)[]];

/** Runs one script by its digest, and sends its text where the server does not have it. */
export type RunScript = (redis: RedisConnection, keys: string[], args: ScriptArgument[]) => Promise<ScriptReply>;

/** Two commands that ioredis has and its types lack: replies as bytes. Like all by their names they wait for what else the turn sends. */
interface ScriptingRedis {
  evalshaBuffer(digest: string, numberOfKeys: number, ...rest: ScriptArgument[]): Promise<unknown>;
  evalBuffer(source: string, numberOfKeys: number, ...rest: ScriptArgument[]): Promise<unknown>;
}

/** How a script is sent. */
export interface ScriptOptions {
  /** Whether it goes out by itself and at once: for one that has gathered what goes together. Default false: with what else the turn sends. */
  isSentAtOnce?: boolean;
  /** Whether it changes nothing, so that nobody who keeps what was read has to be told. Default false. */
  isReadOnly?: boolean;
}

/** Makes a script by its name. Bytes in replies stay bytes. */
export type CreateScript = (name: string, options?: ScriptOptions) => RunScript;

/** Gives the way to make scripts of a folder of Lua files. */
export function scriptsIn(luaDir: string): CreateScript {
  return (name, options) => createScript(loadScript(luaDir, name), options);
}

function createScript(source: string, { isSentAtOnce = false, isReadOnly = false }: ScriptOptions = {}): RunScript {
  const digest = createHash("sha1").update(source).digest("hex");
  return async (connection, keys, args) => {
    const redis = connection as unknown as ScriptingRedis;
    const [key] = keys;
    // A connection that notes what is asked for hears of commands by their names, and of nothing that is sent past them.
    if (isSentAtOnce && key !== undefined) noteKey(connection, key);
    let reply: unknown;
    try {
      reply = await (isSentAtOnce
        ? connection.sendCommand(new Command("evalsha", [digest, keys.length, ...keys, ...args], { replyEncoding: null }))
        : redis.evalshaBuffer(digest, keys.length, ...keys, ...args));
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      reply = await redis.evalBuffer(source, keys.length, ...keys, ...args);
    } finally {
      if (!isReadOnly) tellKeysTouched(connection, keys);
    }
    const [tag, ...values] = reply as [Buffer, ...(Buffer | number)[]];
    return [tag.toString(), ...values];
  };
}

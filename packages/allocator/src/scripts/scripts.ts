import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { loadScript } from "./load-script.ts";

/** A script's arguments: texts, numbers and bytes. */
export type ScriptArgument = string | number | Buffer;

/** A script's reply: a tag, then what goes with it. */
export type ScriptReply = [tag: string, ...rest: (Buffer | number)[]];

/** Runs one script by its digest, and sends its text where the server does not have it. */
export type RunScript = (redis: Redis, keys: string[], args: ScriptArgument[]) => Promise<ScriptReply>;

/** Makes the runner of a script in `lua/`. Bytes in replies stay bytes. */
export function createScript(name: string): RunScript {
  const source = loadScript(name);
  const digest = createHash("sha1").update(source).digest("hex");
  return async (redis, keys, args) => {
    const rest = [keys.length, ...keys, ...args];
    let reply: unknown;
    try {
      reply = await redis.callBuffer("EVALSHA", digest, ...rest);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      reply = await redis.callBuffer("EVAL", source, ...rest);
    }
    const [tag, ...values] = reply as [Buffer, ...(Buffer | number)[]];
    return [tag.toString(), ...values];
  };
}

import type { Redis } from "ioredis";

/** A key: name, remaining ms to live or -1, type and content. Each character is one byte. */
type StoredKey = [name: string, ttlMs: number, ...StoredValue];

type StoredValue =
  | [type: "string", content: string]
  | [type: "hash" | "list" | "set" | "zset", content: string[]]
  | [type: "stream", content: { lastId: string; entries: [id: string, ...fields: string[]][] }];

/** The keys of a store as text, one line of JSON each, because an RDB file can be read only by some servers. */
export async function dumpKeys(redis: Redis, prefix: string): Promise<string> {
  const names = (await redis.keysBuffer(`${prefix}:*`)).sort(Buffer.compare);
  const lines: string[] = [];
  for (const name of names) {
    const key: StoredKey = [textOf(name), await redis.pttl(name), ...(await storedValue(redis, name))];
    lines.push(`${JSON.stringify(key)}\n`);
  }
  return lines.join("");
}

/** Writes keys to a server. @param text as {@link dumpKeys} returned it */
export async function loadKeys(redis: Redis, text: string): Promise<void> {
  const writes = redis.pipeline();
  for (const line of text.trimEnd().split("\n")) {
    const [name, ttlMs, type, content] = JSON.parse(line) as StoredKey;
    const key = bytesOf(name);
    if (type === "stream") {
      // One whose entries have all left for the archive.
      if (content.entries.length === 0) writes.xgroup("CREATE", key, "making", "0", "MKSTREAM").xgroup("DESTROY", key, "making");
      for (const [id, ...fields] of content.entries) writes.call("XADD", key, id, ...fields.map(bytesOf));
      writes.call("XSETID", key, content.lastId);
    } else if (type === "zset") {
      writes.call("ZADD", key, ...pairsOf(content).flatMap(([member, score]) => [score, bytesOf(member)]));
    } else if (type === "string") writes.call("SET", key, bytesOf(content));
    else writes.call({ hash: "HSET", list: "RPUSH", set: "SADD" }[type], key, ...content.map(bytesOf));
    if (ttlMs >= 0) writes.pexpire(key, ttlMs);
  }
  for (const [error] of (await writes.exec()) ?? []) if (error !== null) throw error;
}

async function storedValue(redis: Redis, key: Buffer): Promise<StoredValue> {
  const type = await redis.type(key);
  switch (type) {
    case "string":
      return [type, textOf((await redis.getBuffer(key)) ?? Buffer.alloc(0))];
    case "hash":
      return [type, ((await redis.callBuffer("HGETALL", key)) as Buffer[]).map(textOf)];
    case "list":
      return [type, (await redis.lrangeBuffer(key, "0", "-1")).map(textOf)];
    case "set":
      return [type, (await redis.smembersBuffer(key)).sort(Buffer.compare).map(textOf)];
    case "zset":
      return [type, (await redis.zrangeBuffer(key, "0", "-1", "WITHSCORES")).map(textOf)];
    case "stream": {
      const info = (await redis.xinfo("STREAM", key)) as unknown[];
      const entries = await redis.xrangeBuffer(key, "-", "+");
      return [
        type,
        {
          lastId: String(info[info.indexOf("last-generated-id") + 1]),
          entries: entries.map(([id, fields]): [string, ...string[]] => [textOf(id), ...fields.map(textOf)]),
        },
      ];
    }
    default:
      throw new Error(`the key ${textOf(key)} is of type ${type}, which is not kept`);
  }
}

function textOf(bytes: Buffer): string {
  return bytes.toString("latin1");
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

function pairsOf(list: readonly string[]): [string, string][] {
  return list.flatMap((item, index): [string, string][] => (index % 2 === 0 ? [[item, list[index + 1] ?? ""]] : []));
}

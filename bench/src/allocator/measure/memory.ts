import type { Redis } from "ioredis";

/** Bytes that a server uses, without the buffers of its clients and of its append-only file, which vary with the load. */
export async function usedMemory(redis: Redis): Promise<number> {
  const section = await redis.info("memory");
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(section)?.[1] ?? 0);
  return field("used_memory") - field("mem_clients_normal") - field("mem_aof_buffer");
}

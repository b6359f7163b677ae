import type { Redis } from "ioredis";

/** Processor time of a server's main thread so far, in µs: commands, reading requests and writing answers. */
export async function serverMicros(redis: Redis): Promise<number> {
  const section = await redis.info("cpu");
  const seconds = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(section)?.[1] ?? Number.NaN);
  return (seconds("used_cpu_user_main_thread") + seconds("used_cpu_sys_main_thread")) * 1e6;
}

import type { Redis } from "ioredis";

/** Names a server: `host:port`, or the path of its socket. */
export function serverName({ options }: Redis): string {
  return options.path ?? `${options.host}:${options.port}`;
}

import type { Redis } from "ioredis";

const spans = new WeakMap<Redis, object>();

/**
 * Stands for the time until the connection to a server is lost: another object after each loss. As long as it is the same, the server has lost nothing
 * of what it has said over the connection; one that was started again, or another that has taken its place, may have.
 */
export function spanOf(server: Redis): object {
  const known = spans.get(server);
  if (known !== undefined) return known;
  const begin = () => void spans.set(server, {});
  begin();
  server.on("close", begin);
  return spanOf(server);
}

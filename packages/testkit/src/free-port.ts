import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/**
 * A TCP port of 127.0.0.1 that is unused at this moment. Another process may take it before it is used; prefer port 0 where the code under test supports it.
 */
export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}

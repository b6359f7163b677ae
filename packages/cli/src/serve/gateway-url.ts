/** Addresses that mean "every address of this machine" to a server and nothing to a client, and the one by which a client here gets through. */
const loopbackOf: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "[::]": "[::1]" };

/**
 * The address of a gateway for clients on the same machine.
 *
 * @param host What it listens on: an address, IPv6 without brackets, or a host name.
 */
export function gatewayUrl(scheme: "http" | "https", host: string, port: number): string {
  const { hostname } = new URL(`${scheme}://${host.includes(":") ? `[${host}]` : host}`);
  return `${scheme}://${loopbackOf[hostname] ?? hostname}:${port}`;
}

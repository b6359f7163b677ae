/** Wildcard listen addresses, which clients cannot use, with the loopback address to use instead. */
const loopbackOf: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "[::]": "[::1]" };

/**
 * The address of a gateway for clients on the same machine.
 *
 * @param host its listen address (IPv6 without brackets) or host name
 */
export function gatewayUrl(scheme: "http" | "https", host: string, port: number): string {
  const { hostname } = new URL(`${scheme}://${host.includes(":") ? `[${host}]` : host}`);
  return `${scheme}://${loopbackOf[hostname] ?? hostname}:${port}`;
}

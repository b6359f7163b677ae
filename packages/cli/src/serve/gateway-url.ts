import { managementAddress } from "@petak/gateway";

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

/** The address of a gateway's management listener if it has the default: on the gateway's machine, at its default distance from the public port. */
export function defaultManagementUrl(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  const publicPort = Number(port || (protocol === "https:" ? 443 : 80));
  return `http://${hostname}:${managementAddress({ management: "", port: publicPort }).port}`;
}

import type { ServerAddress } from "../transport/index.ts";

/** How far the default port of the management listener is above the public port. */
const portsApart = 1000;

/** Parses `host:port`. An IPv6 address stands in brackets. Undefined if the text is neither. */
export function parseAddress(text: string): ServerAddress | undefined {
  const [, ipv6, name, port] = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

/**
 * Returns the address of the management listener. By default it is on loopback, 1000 above the public port, so that gateways on one machine do not meet;
 * any free port if the public port is any free one, or if there is no port so far up.
 */
export function managementAddress({ management, port }: { management: string; port: number }): ServerAddress {
  const above = port + portsApart;
  return parseAddress(management) ?? { host: "127.0.0.1", port: port === 0 || above > 65_535 ? 0 : above };
}

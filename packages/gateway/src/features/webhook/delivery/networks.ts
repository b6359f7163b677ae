import ipaddr from "ipaddr.js";

/** CIDR blocks. */
export type Networks = readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];

/** The global unicast block of IPv6 (RFC 4291). The library reports every address without another range as unicast. */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/** Metadata services of cloud providers with public addresses: Azure's. Those of others are link-local, private or CGNAT. */
const publicMetadata: ReadonlySet<string> = new Set(["168.63.129.16"]);

/** Parses comma-separated CIDR blocks. Undefined if one of them is invalid; an empty text gives none. */
export function parseNetworks(text: string): Networks | undefined {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  return parts.every((part) => ipaddr.isValidCIDR(part)) ? parts.map((part) => ipaddr.parseCIDR(part)) : undefined;
}

/**
 * Whether webhooks may be sent to an address: it is in an allowed network, or public. Private, loopback, link-local, unique-local, shared (CGNAT),
 * multicast, reserved and metadata addresses are not public. Neither are IPv6 addresses that embed an IPv4 address (mapped, NAT64, 6to4, Teredo), because
 * their destination depends on the network.
 */
export function mayReach(address: string, allowed: Networks): boolean {
  // A zone identifier names an interface of this machine.
  if (address.includes("%") || !ipaddr.isValid(address)) return false;
  // The socket unwraps a mapped address, so an allowed network includes both forms.
  const plain = ipaddr.process(address);
  if (allowed.some(([network, bits]) => network.kind() === plain.kind() && plain.match(network, bits))) return true;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== "unicast" || publicMetadata.has(parsed.toString())) return false;
  return parsed.kind() === "ipv4" || parsed.match(globalUnicast);
}

import ipaddr from "ipaddr.js";

/** Some networks, as CIDR blocks. */
export type Networks = readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];

/** What the one global part of IPv6 begins with (RFC 4291); the library calls everything unicast that has no other name. */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/** Addresses in public space at which a cloud tells its machines their secrets: Azure's. Those of others are link-local, private or CGNAT. */
const publicMetadata: ReadonlySet<string> = new Set(["168.63.129.16"]);

/** Reads networks in CIDR notation with commas between them, or undefined where one of them is none. An empty text is no network. */
export function parseNetworks(text: string): Networks | undefined {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  return parts.every((part) => ipaddr.isValidCIDR(part)) ? parts.map((part) => ipaddr.parseCIDR(part)) : undefined;
}

/**
 * Whether webhooks may be sent to an address: it is in one of the allowed networks, or it is a public one. Private, loopback, link-local,
 * unique-local, shared (CGNAT), multicast, reserved and metadata addresses are not public, nor are those that hide an IPv4 address in an IPv6
 * one (mapped, NAT64, 6to4, Teredo): what they lead to depends on the network.
 */
export function mayReach(address: string, allowed: Networks): boolean {
  // A zone names an interface of this machine.
  if (address.includes("%") || !ipaddr.isValid(address)) return false;
  // What connects unwraps a mapped address, so an allowed network has it in either form.
  const plain = ipaddr.process(address);
  if (allowed.some(([network, bits]) => network.kind() === plain.kind() && plain.match(network, bits))) return true;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== "unicast" || publicMetadata.has(parsed.toString())) return false;
  return parsed.kind() === "ipv4" || parsed.match(globalUnicast);
}

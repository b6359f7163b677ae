import type { IncomingHttpHeaders } from "node:http";
import ipaddr from "ipaddr.js";

/** CIDR blocks. */
export type Networks = readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];

/** The header in which a trusted proxy names the client. Only one is read: a proxy passes the other on as the client sent it. */
export type ProxyHeader = "x-forwarded-for" | "forwarded";

/** The proxies whose word on the client's address is taken. */
export interface TrustedProxies {
  networks: Networks;
  header: ProxyHeader;
}

/** The other end of a connection. */
export class Peer {
  /** The name under which its calls are counted until their caller is known: see {@link addressAccount}. */
  readonly account: string;
  /** Present if it is a trusted proxy. */
  readonly proxies: TrustedProxies | undefined;
  /** When its next health check may be answered, see `pacer.ts`. */
  dueMs = 0;
  /** Whether a call on the connection had valid credentials. */
  isKnown = false;
  /** Whether the connection may only make health checks, because there was no other room for it. */
  isForHealth = false;
  /** Requests in progress. */
  requests = 0;
  /** Called when a request has ended and no other is in progress. */
  onIdle: (() => void) | undefined = undefined;

  constructor(address: string | undefined, proxies?: TrustedProxies) {
    this.account = addressAccount(address);
    this.proxies = proxies !== undefined && isIn(address, proxies.networks) ? proxies : undefined;
  }

  /** Notes that a request has begun. */
  begin(): void {
    this.requests += 1;
  }

  /** Notes that a request has ended. */
  end(): void {
    this.requests -= 1;
    if (this.requests === 0) this.onIdle?.();
  }
}

const peers = new WeakMap<object, Peer>();

/** Sets the peer of a connection: a socket or an HTTP/2 session. */
export function setPeer(connection: object, peer: Peer): void {
  peers.set(connection, peer);
}

/** Returns the peer of a connection. A connection of an unknown server gets a new one. */
export function peerOf(connection: { readonly remoteAddress?: string | undefined } | object | undefined): Peer {
  const known = connection === undefined ? undefined : peers.get(connection);
  if (known !== undefined) return known;
  const peer = new Peer(connection !== undefined && "remoteAddress" in connection ? connection.remoteAddress : undefined);
  if (connection !== undefined) peers.set(connection, peer);
  return peer;
}

/**
 * Returns the account of the address from which a request comes: the peer's, or, behind trusted proxies, the last one in their header that is no
 * trusted proxy itself. What stands before that may be invented.
 */
export function sourceOf(peer: Peer, headers: IncomingHttpHeaders): string {
  if (peer.proxies === undefined) return peer.account;
  const { networks, header } = peer.proxies;
  const hops = String(headers[header] ?? "").split(",");
  let nearest = peer.account;
  for (let index = hops.length - 1; index >= 0; index -= 1) {
    const address = hopAddress(hops[index] ?? "", header);
    if (address === undefined || !ipaddr.isValid(address)) break;
    nearest = addressAccount(address);
    if (!isIn(address, networks)) break;
  }
  return nearest;
}

/** The address in one element of a header, without port and brackets. Undefined if there is none. */
function hopAddress(element: string, header: ProxyHeader): string | undefined {
  const node = header === "forwarded" ? /(?:^|;)\s*for=("?)([^";\s]+)\1\s*(?:;|$)/i.exec(element)?.[2] : element.trim();
  if (node === undefined) return undefined;
  return /^\[([^\]]+)\](?::\d+)?$/.exec(node)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/.exec(node)?.[1] ?? node;
}

/**
 * Returns the account of an address, e.g. `192.0.2.7` or `2001:db8:0:1::/64`: hosts of IPv6 have a network of 2^64 addresses each, so the network
 * counts. IPv4 addresses within IPv6 count as such.
 */
export function addressAccount(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return "unknown address";
  const parsed = ipaddr.process(address);
  if (parsed.kind() === "ipv4") return parsed.toString();
  const network = (parsed as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16));
  return `${network.join(":")}::/64`;
}

function isIn(address: string | undefined, networks: Networks): boolean {
  if (address === undefined || networks.length === 0 || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return networks.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits));
}

import { isIP } from "node:net";
import { mayReach, type Networks } from "./networks.ts";

/** Where webhooks may be sent. */
export interface ReachPolicy {
  /** Networks that are allowed although they are not public. */
  readonly allowedNetworks: Networks;
  /** Whether `http://` is allowed too. */
  readonly allowHttp: boolean;
}

/** Ports below 1024 that belong to the web. At the others of them live services that should not be talked to by anybody's wish. */
const webPorts: ReadonlySet<string> = new Set(["", "80", "443"]);
const unprivilegedFrom = 1024;

/** The URL of an endpoint, or in words why it cannot be one. What its name leads to is looked at in each attempt. */
export function checkEndpointUrl(text: string, { allowedNetworks, allowHttp }: ReachPolicy): URL | string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) return "must be a URL that begins with https://";
  if (url.protocol === "http:" && !allowHttp) return "must begin with https://: this gateway sends nothing in the clear";
  if (url.username !== "" || url.password !== "") return "must not have a user or a password: the signature says who sends";
  if (url.hash !== "" || text.includes("#")) return "must not have a fragment, which is never sent";
  if (!webPorts.has(url.port) && Number(url.port) < unprivilegedFrom) {
    return `has port ${url.port}, which must be 443, 80 or one from ${unprivilegedFrom} on`;
  }
  const address = addressIn(url);
  if (address !== undefined && !mayReach(address, allowedNetworks)) {
    return "names an address to which this gateway does not send: a private, loopback, link-local or otherwise reserved one";
  }
  return url;
}

/** The address that a URL names itself, without the brackets of IPv6; undefined where it has a name. */
export function addressIn({ hostname }: URL): string | undefined {
  const address = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(address) === 0 ? undefined : address;
}

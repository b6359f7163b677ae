import { isIP } from "node:net";
import { invalidField } from "@petak/protocol";
import { mayReach, type Networks } from "./networks.ts";

/** Which URLs webhooks may be sent to. */
export interface ReachPolicy {
  /** Networks that are allowed although they are not public. */
  readonly allowedNetworks: Networks;
  /** Whether `http://` is allowed. */
  readonly allowHttp: boolean;
}

/** Allowed ports below 1024. The others belong to services that webhooks must not reach. */
const webPorts: ReadonlySet<string> = new Set(["", "80", "443"]);
const unprivilegedFrom = 1024;

/** Parses the URL of an endpoint, or says why it is not allowed. The addresses of a host name are checked at each attempt. */
export function checkEndpointUrl(text: string, { allowedNetworks, allowHttp }: ReachPolicy): URL | string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) return "must be a URL that begins with https://";
  if (url.protocol === "http:" && !allowHttp) return "must begin with https://: this gateway does not send over unencrypted HTTP";
  if (url.username !== "" || url.password !== "") return "must not contain a user or password: the signature authenticates the sender";
  if (url.hash !== "" || text.includes("#")) return "must not contain a fragment, which is never sent";
  if (!webPorts.has(url.port) && Number(url.port) < unprivilegedFrom) {
    return `must have the port 443, 80 or at least ${unprivilegedFrom}, not ${url.port}`;
  }
  const address = addressIn(url);
  if (address !== undefined && !mayReach(address, allowedNetworks)) {
    return "must not name a private, loopback, link-local or otherwise reserved address: this gateway does not send to those";
  }
  return url;
}

/** The IP address in a URL, without the brackets of IPv6. Undefined: the URL has a host name. */
export function addressIn({ hostname }: URL): string | undefined {
  const address = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(address) === 0 ? undefined : address;
}

/** Throws INVALID_FIELD for a URL to which this gateway sends no webhooks. */
export function requireEndpointUrl(url: string, policy: ReachPolicy): void {
  const checked = checkEndpointUrl(url, policy);
  if (typeof checked === "string") throw invalidField("url", checked, "webhook_endpoint.url");
}

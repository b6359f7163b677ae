/**
 * Checks the address at which a device may call its gateway: `https://`, or `http://` to the device itself. A device sends what opens doors, so that nobody on
 * the way may read or change it. Returns the address without a slash at its end. Throws a TypeError that says what is wrong.
 */
export function checkGatewayAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new TypeError(`the gateway's address "${text}" must begin with https://`);
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new TypeError(`the gateway's address "${text}" must begin with https://: http:// is for a gateway on this device only`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new TypeError("the gateway's address must have no user name, password, query or fragment");
  }
  return text.replace(/\/+$/, "");
}

/** Names that the platform resolves to itself. A URL has written IPv4 addresses in full by now, whatever their form was. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

import { randomUUID } from "node:crypto";

/** The header that carries the request id, both ways. */
export const requestIdHeader = "x-request-id";

/** The caller's request id where it is a sane token, else a new UUID. An id goes into logs and headers, so it must not carry anything else. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(header) ? header : randomUUID();
}

import type { IncomingHttpHeaders } from "node:http";

/** What stands before a request's body, of either version of HTTP. */
export interface RequestHead {
  readonly method: string | undefined;
  readonly path: string;
  /** By name in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly isHttp2: boolean;
}

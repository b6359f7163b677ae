/** What came back for one request, in full and unjudged. */
export interface RawAnswer {
  /** The HTTP status. 0 where the connection or the stream ended without one. */
  status: number;
  /** Header fields, names in lower case. Of a name that came twice, both values joined with a comma. */
  headers: Readonly<Record<string, string>>;
  /** Trailer fields of HTTP/2. */
  trailers: Readonly<Record<string, string>>;
  body: Buffer;
  /**
   * How it ended: all came; what came is all there can be, since the caller left an endless answer; the other side closed before the end;
   * nothing ended it in the time given.
   */
  end: "complete" | "left" | "closed" | "late";
  /** Time from the first byte sent to the end, in ms. */
  elapsedMs: number;
}

/** The complete response to one request, without any interpretation. */
export interface RawAnswer {
  /** The HTTP status. 0 if the connection or the stream ended without one. */
  status: number;
  /** Header fields by lower-case name. Values of a repeated name are joined with a comma. */
  headers: Readonly<Record<string, string>>;
  /** Trailer fields of HTTP/2. */
  trailers: Readonly<Record<string, string>>;
  body: Buffer;
  /**
   * How it ended: complete; left by the caller, because the response is endless; closed by the other side before its end; or late, not
   * ended in time.
   */
  end: "complete" | "left" | "closed" | "late";
  /** Time from the first byte sent to the end, in ms. */
  elapsedMs: number;
}

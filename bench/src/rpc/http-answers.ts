/** Takes answers of HTTP/1.1 with a `content-length` apart, as they come over one connection. */
export interface HttpAnswers {
  /** Takes bytes. Gives the statuses of the answers that end in them. */
  take(chunk: Buffer): number[];
}

/** Makes a reader for one connection. */
export function createHttpAnswers(): HttpAnswers {
  let pending: Buffer = Buffer.alloc(0);
  return {
    take(chunk) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const statuses: number[] = [];
      for (;;) {
        const headers = pending.indexOf("\r\n\r\n");
        if (headers < 0) return statuses;
        const head = pending.toString("latin1", 0, headers);
        const length = /^content-length: *(\d+)/im.exec(head)?.[1];
        if (length === undefined) throw new Error(`an answer without content-length:\n${head}`);
        const end = headers + 4 + Number(length);
        if (pending.length < end) return statuses;
        statuses.push(Number(head.slice(9, 12)));
        pending = pending.subarray(end);
      }
    },
  };
}

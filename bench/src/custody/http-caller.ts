import { once } from "node:events";
import { connect, type Socket } from "node:net";

/**
 * One connection to a gateway, for one call after the other in Connect JSON: a minimal client, so that the gateway dominates the
 * measurement.
 */
export interface HttpCaller {
  /**
   * Makes a call.
   *
   * @throws {Error} with the response if it is refused
   */
  call<Answer>(path: string, authorization: string, body: object): Promise<Answer>;
  close(): void;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** Opens a connection. @param traceparent is sent with each call. "": none is */
export async function openCaller(port: number, traceparent = ""): Promise<HttpCaller> {
  const trace = traceparent === "" ? "" : `traceparent: ${traceparent}\r\n`;
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let read: Buffer = Buffer.alloc(0);
  let waiting: Waiting | undefined;

  function settle(act: (waiter: Waiting) => void): void {
    const waiter = waiting;
    waiting = undefined;
    if (waiter !== undefined) act(waiter);
  }
  socket.on("data", (bytes: Buffer) => {
    read = read.length === 0 ? bytes : Buffer.concat([read, bytes]);
    const headEnd = read.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = read.toString("latin1", 0, headEnd);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(length)) return settle(({ reject }) => reject(new Error(`a response without a length: ${head}`)));
    if (read.length < headEnd + 4 + length) return;
    const body = read.toString("utf8", headEnd + 4, headEnd + 4 + length);
    read = read.subarray(headEnd + 4 + length);
    settle(({ resolve, reject }) => (head.startsWith("HTTP/1.1 200") ? resolve(JSON.parse(body)) : reject(new Error(body))));
  });
  const broken = (error?: Error) => settle(({ reject }) => reject(error ?? new Error("the gateway closed a connection")));
  socket.on("error", broken);
  socket.on("close", () => broken());

  return {
    call(path, authorization, body) {
      const text = JSON.stringify(body);
      return new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error("the gateway has closed the connection"));
        waiting = { resolve: resolve as Waiting["resolve"], reject };
        socket.write(
          `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nauthorization: ${authorization}\r\n` +
            `${trace}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
        );
      });
    },
    close: () => void socket.destroy(),
  };
}

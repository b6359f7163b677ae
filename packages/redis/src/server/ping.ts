import { connect } from "node:net";

/** What a server says to PING: it is there; it is there and still reading its log; it is not there, or not yet. */
export type PingReply = "PONG" | "LOADING" | "NONE";

/**
 * Asks a server at a Unix socket whether it answers. A line of the protocol by hand instead of a client, which would have ideas of its
 * own about reconnecting and about what to say first.
 */
export function ping(socketPath: string, timeoutMs: number): Promise<PingReply> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    let received = "";
    const settle = (reply: PingReply): void => {
      socket.destroy();
      resolve(reply);
    };
    socket.setTimeout(timeoutMs, () => settle("NONE"));
    socket.on("connect", () => socket.write("PING\r\n"));
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (!received.includes("\r\n")) return;
      if (received.startsWith("+PONG")) settle("PONG");
      else settle(received.startsWith("-LOADING") ? "LOADING" : "NONE");
    });
    socket.on("error", () => settle("NONE"));
    socket.on("close", () => settle("NONE"));
  });
}

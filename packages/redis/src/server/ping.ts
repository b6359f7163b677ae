import { connect } from "node:net";

/** `PONG`: the server answers. `LOADING`: it is still loading its data. `NONE`: no answer. */
export type PingReply = "PONG" | "LOADING" | "NONE";

/**
 * Sends PING to a server at a Unix socket. Speaks the protocol directly, because a client would add reconnection and handshake commands.
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

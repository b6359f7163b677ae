import { connect } from "node:net";

/** The result of a conversation over one connection. */
export interface Conversation {
  /** Everything received, without what differs between two answers to the same request. */
  received: string;
  /** Whether the server closed before the client did. */
  isClosedByServer: boolean;
}

/** Turns of the event loop in which nothing more must be received: a process that stood still for a while has yet to read what came meanwhile. */
const quietTurns = 20;

/**
 * Sends something over a new connection, piece by piece, waits until nothing more is received, and ends the connection.
 *
 * @param quietMs how long nothing must be received, in ms
 */
export function converse(port: number, pieces: readonly Uint8Array[], quietMs: number): Promise<Conversation> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const received: Buffer[] = [];
    const rest = [...pieces];
    let hasEnded = false;
    let isClosedByServer = false;
    let moves = 0;
    const quiet = setTimeout(() => void endUnlessMoved(), quietMs);
    const move = (): void => {
      moves += 1;
      quiet.refresh();
    };
    async function endUnlessMoved(): Promise<void> {
      const before = moves;
      for (let turn = 0; turn < quietTurns; turn += 1) await new Promise((next) => setImmediate(next));
      if (moves !== before) return;
      hasEnded = true;
      socket.end();
    }
    const sendNext = (): void => {
      const piece = rest.shift();
      if (piece === undefined || !socket.writable) return;
      move();
      socket.write(piece, () => setImmediate(() => setImmediate(sendNext)));
    };
    socket.on("connect", sendNext);
    socket.on("data", (chunk: Buffer) => {
      if (!hasEnded) move();
      received.push(chunk);
    });
    socket.on("end", () => {
      isClosedByServer = !hasEnded;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(quiet);
      resolve({ received: withoutPassing(Buffer.concat(received).toString("latin1")), isClosedByServer });
    });
  });
}

function withoutPassing(text: string): string {
  return text.replace(/^(date: |x-request-id: )(?:\w{3}, [^\r]*|[0-9a-f-]{36})\r$/gim, "$1*\r");
}

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { onTestFinished } from "vitest";

/** A name server with configurable responses. */
export interface NameServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** The queries so far: the name, and `A` for IPv4 or `AAAA` for IPv6 addresses. */
  readonly questions: string[];
}

const typeA = 1;
const headBytes = 12;

/**
 * Starts a name server on a free port of 127.0.0.1, for a test.
 *
 * @param answer returns the IPv4 addresses of a name, which has no IPv6 addresses. Undefined: the query is not answered. Called once for each `A` query
 */
export async function startNameServer(answer: (name: string) => readonly string[] | undefined): Promise<NameServer> {
  const questions: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (query, { port, address }) => {
    const { name, end } = readName(query);
    const isA = query.readUInt16BE(end) === typeA;
    questions.push(`${name} ${isA ? "A" : "AAAA"}`);
    const addresses = isA ? answer(name) : [];
    if (addresses === undefined) return;
    const head = Buffer.alloc(headBytes);
    query.copy(head, 0, 0, 2);
    // A response without error to one query.
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(addresses.length, 6);
    const records = addresses.map((one) => Buffer.from([0xc0, headBytes, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...one.split(".").map(Number)]));
    socket.send(Buffer.concat([head, query.subarray(headBytes, end + 4), ...records]), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  onTestFinished(() => void socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, questions };
}

/** The queried name, and the offset at which it ends. */
function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = headBytes;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), end: at + 1 };
}

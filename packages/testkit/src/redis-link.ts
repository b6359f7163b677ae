import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Where a server listens: its socket, or its port on 127.0.0.1. */
export type LinkTarget = { path: string } | { port: number };

/** A network link to a server, which breaks as networks do: connections go through it byte by byte. */
export interface RedisLink {
  /** The link as an address: `redis://127.0.0.1:…`. */
  readonly url: string;
  /** How many connections it has cut in the middle of an answer. */
  readonly cuts: number;
  /**
   * Cuts the connection that next brings an answer, when so many bytes of answers have gone through it: what was asked is done, and whoever asked
   * gets a part of the answer or none.
   */
  cutAnswerAfter(bytes: number): void;
  /** Breaks every connection, in both directions. */
  sever(): void;
  /** Leads to another server from now on, and breaks every connection to the one before: an address that moves to another machine. */
  moveTo(target: LinkTarget): void;
  /** Leads new connections to another server; those that there are stay: a name that gets another address. */
  leadTo(target: LinkTarget): void;
  stop(): Promise<void>;
}

/** Opens a link to a server. */
export async function openRedisLink(first: LinkTarget): Promise<RedisLink> {
  let target = first;
  let cuts = 0;
  let bytesToCut: number | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    near.pipe(far);
    far.on("data", (bytes) => {
      if (bytesToCut === undefined) {
        near.write(bytes);
        return;
      }
      if (bytes.length < bytesToCut) {
        bytesToCut -= bytes.length;
        near.write(bytes);
        return;
      }
      const part = bytes.subarray(0, bytesToCut);
      bytesToCut = undefined;
      cuts += 1;
      // What goes before the cut must arrive; what was asked meanwhile is lost with it.
      near.write(part, () => near.destroy());
      far.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const sever = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    cutAnswerAfter(bytes) {
      bytesToCut = bytes;
    },
    sever,
    moveTo(next) {
      target = next;
      sever();
    },
    leadTo(next) {
      target = next;
    },
    async stop() {
      server.close();
      sever();
      await once(server, "close");
    },
  };
}

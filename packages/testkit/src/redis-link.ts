import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A server's socket, or its port on 127.0.0.1. */
export type LinkTarget = { path: string } | { port: number };

/** A proxy to a server that simulates network failures. */
export interface RedisLink {
  /** The proxy's address: `redis://127.0.0.1:…`. */
  readonly url: string;
  /** Number of connections cut in the middle of a response. */
  readonly cuts: number;
  /**
   * Cuts a connection after a number of further response bytes: the command has been executed, but the caller gets only part of the response, or none.
   */
  cutResponseAfter(bytes: number): void;
  /** Closes all connections. */
  sever(): void;
  /** Switches to another server and closes all connections, like an address that moves to another machine. */
  moveTo(target: LinkTarget): void;
  /** Switches new connections to another server and keeps the existing ones, like a changed DNS name. */
  leadTo(target: LinkTarget): void;
  stop(): Promise<void>;
}

/** Opens a proxy to a server. */
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
      // Deliver the part before the cut; requests sent meanwhile are lost.
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
    cutResponseAfter(bytes) {
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

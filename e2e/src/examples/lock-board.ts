import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** A lock board as the example's driver knows it: lines of JSON over TCP. Doors are closed and empty at first. */
export interface LockBoard extends AsyncDisposable {
  /** Its `host:port`. */
  readonly address: string;
  /** The doors that it was asked to unlock, in order. */
  readonly asked: readonly string[];
  /** What it does when it is asked. Default: it unlocks the door, whose sensor then tells that it is open. */
  does: "unlocks" | "fails" | "goes away";
  /** What somebody does at a door that has opened, before it is closed. Default: nobody comes. */
  hand?: "puts in" | "takes out" | "nothing";
}

/** Starts a lock board on a free port. */
export async function startLockBoard(doors: readonly string[]): Promise<LockBoard> {
  const states = new Map(doors.map((door) => [door, { state: "closed", parcel: false }]));
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const say = (line: object) => {
    for (const socket of sockets) socket.write(`${JSON.stringify(line)}\n`);
  };
  const become = (door: string, change: Partial<{ state: string; parcel: boolean }>) => {
    const state = Object.assign(states.get(door) ?? { state: "unknown", parcel: false }, change);
    say({ door, ...state });
  };

  function unlock(door: string): void {
    asked.push(door);
    if (board.does === "goes away") {
      server.close();
      for (const socket of sockets) socket.destroy();
      return;
    }
    if (board.does === "fails" || !states.has(door)) {
      say({ failed: door, why: "the bolt is blocked" });
      return;
    }
    become(door, { state: "open" });
    say({ unlocked: door });
    if (board.hand === undefined) return;
    if (board.hand !== "nothing") become(door, { parcel: board.hand === "puts in" });
    become(door, { state: "closed" });
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    const lines = createInterface({ input: socket });
    lines.on("error", () => undefined);
    lines.on("line", (line) => unlock((JSON.parse(line) as { unlock: string }).unlock));
    for (const [door, state] of states) socket.write(`${JSON.stringify({ door, ...state })}\n`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const board: LockBoard = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    does: "unlocks",
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  return board;
}

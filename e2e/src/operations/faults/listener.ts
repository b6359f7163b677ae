import { setTimeout as pause } from "node:timers/promises";
import type { PetakClient, RequestSigner } from "@petak/client/node";
import type { Event } from "@petak/protocol";
import { reasonOf } from "@petak/protocol";
import { type Callers, isForLater } from "./callers.ts";

/** A client that receives every event, and continues from the last cursor after each lost connection. */
export interface Listener {
  /** The ids of the events received, in order. */
  readonly received: string[];
  /** How often it had to reconnect. */
  readonly interruptions: number;
  stop(): Promise<void>;
}

const againAfterMs = 20;
/** How long one poll waits for events, in s. */
const pollWaitS = 5n;

/** Listens by `WatchEvents`, or by polling `ListEvents`, through any of the gateways. */
export function listen(kind: "watch" | "poll", callers: Callers, port: () => number, signer: RequestSigner): Listener {
  const received: string[] = [];
  const leaving = new AbortController();
  let interruptions = 0;
  let cursor = "";

  const hear = (events: readonly Event[], next: string) => {
    received.push(...events.map(({ eventId }) => eventId));
    cursor = next;
  };
  const ways: Record<typeof kind, (client: PetakClient) => Promise<void>> = {
    async watch(client) {
      for await (const { events, cursor: next } of client.custody.watchEvents({ cursor }, { signal: leaving.signal })) hear(events, next);
    },
    async poll(client) {
      const request = { cursor, pageSize: 100, wait: { seconds: pollWaitS, nanos: 0 } };
      const { events, nextCursor } = await client.custody.listEvents(request, { signal: leaving.signal });
      hear(events, nextCursor);
    },
  };

  async function run(): Promise<void> {
    while (!leaving.signal.aborted) {
      try {
        await ways[kind](callers.clientOf(port(), signer));
      } catch (error) {
        if (leaving.signal.aborted) return;
        if (!isForLater(error)) throw new Error(`a listener was refused: ${reasonOf(error)}`, { cause: error });
        interruptions += 1;
        await pause(againAfterMs);
      }
    }
  }

  const running = run();
  // A failure is thrown by `stop`.
  running.catch(() => undefined);
  return {
    received,
    get interruptions() {
      return interruptions;
    },
    async stop() {
      leaving.abort();
      await running;
    },
  };
}

import { setTimeout as pause } from "node:timers/promises";
import type { PetakClient, RequestSigner } from "@petak/client/node";
import type { Event } from "@petak/protocol";
import { reasonOf } from "@petak/protocol";
import { type Callers, isForLater } from "./callers.ts";

/** Somebody who is told of every event, and goes on from the last cursor whenever the connection or the gateway is lost. */
export interface Listener {
  /** The ids of the events that came, in their order. */
  readonly heard: string[];
  /** How often it had to begin anew. */
  readonly interruptions: number;
  stop(): Promise<void>;
}

const againAfterMs = 20;
/** How long one poll waits for news, in s. */
const pollWaitS = 5n;

/** Listens by `WatchEvents`, or by polling `ListEvents`, through any of the gateways. */
export function listen(kind: "watch" | "poll", callers: Callers, port: () => number, signer: RequestSigner): Listener {
  const heard: string[] = [];
  const leaving = new AbortController();
  let interruptions = 0;
  let cursor = "";

  const hear = (events: readonly Event[], next: string) => {
    heard.push(...events.map(({ eventId }) => eventId));
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
  // What went wrong is thrown where it is stopped.
  running.catch(() => undefined);
  return {
    heard,
    get interruptions() {
      return interruptions;
    },
    async stop() {
      leaving.abort();
      await running;
    },
  };
}

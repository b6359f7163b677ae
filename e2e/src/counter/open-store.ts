import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Agent, createAgent, openAgentStore } from "@petak/agent";
import { type Clerks, type Counter, createCounter, createShelf, openClerks, startCounterServer } from "@petak/agent/counter";
import { createRequestSigner } from "@petak/client/node";
import type { EntryResult, EntrySchema } from "@petak/protocol/counter";
import { type ManualTimers, tempDir } from "@petak/testkit";
import type { TestNetwork, TestParticipant } from "@petak/testkit/network";
import { onTestFinished } from "vitest";
import { createTabletClients } from "./tablet-clients.ts";

type Action = NonNullable<MessageInitShape<typeof EntrySchema>["action"]>;

/** A store's running agent, and a tablet on which its clerk has signed in. */
export interface OpenStore {
  readonly agent: Agent;
  readonly clerkId: string;
  /** The clerk's PIN. */
  readonly pin: string;
  /** Where the agent serves its counter. */
  readonly url: string;
  /** The agent's database. */
  readonly storePath: string;
  readonly clerks: Clerks;
  /** The entries that have come, each once however often it was sent. */
  readonly entryIds: ReadonlySet<string>;
  /** Does something as the clerk, on the tablet. @param madeAtMs when, by the tablet's clock. Default: the network's */
  does(action: Action, madeAtMs?: number): Promise<EntryResult>;
}

/** Opens a store at a site; it closes with the running test. Nothing waits but by the timers. */
export async function openStore(options: {
  network: TestNetwork;
  operator: TestParticipant;
  siteId: string;
  places: readonly { compartmentId: string; sizeClassId: string }[];
  timers: ManualTimers;
  /** The folder of the app. Undefined: only calls are answered. */
  appFolder?: string;
}): Promise<OpenStore> {
  const { network, operator, siteId, places, timers, appFolder } = options;
  const { now, after } = timers;
  const folder = await tempDir();
  const storePath = join(folder, "agent.db");
  const store = openAgentStore(storePath);
  const shelf = createShelf(store.counter, places);
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const key = await network.agentKey(operator, siteId);
  const { agents } = network.clientFor(createRequestSigner({ ...key, now }));
  const line = { siteId, client: agents, reportKey: key, store, cabinet: shelf, logger, now, elapsedMs: now, after, refusalMs: 0 };
  const agent = createAgent({ ...line, onAdopted: shelf.fill });
  await agent.start();
  const clerks = openClerks(join(folder, "clerks.json"));
  const { clerk, pin } = await clerks.add("Mai", true);
  const { clerkId } = clerk;
  const counter = createCounter({ desk: agent.desk, store, shelf, siteId, key, clerks, logger, elapsedMs: now });
  const entryIds = new Set<string>();
  const heard: Counter = {
    ...counter,
    submit(session, entries) {
      for (const { entryId } of entries) entryIds.add(entryId);
      return counter.submit(session, entries);
    },
  };
  const server = await startCounterServer({ counter: heard, host: "127.0.0.1", port: 0, appFolder, logger });
  onTestFinished(async () => {
    await server.stop();
    await agent.stop();
    store.close();
  });

  const tabletId = randomUUID();
  const tablet = createTabletClients()(server.url);
  await tablet.signIn({ tabletId, clerkId, pin });
  return {
    agent,
    clerkId,
    pin,
    url: server.url,
    storePath,
    clerks,
    entryIds,
    async does(action, madeAtMs = now()) {
      const entry = { entryId: randomUUID(), madeAt: timestampFromMs(madeAtMs), clerkId, action };
      const { results } = await tablet.submit({ tabletId, entries: [entry] });
      if (results[0] === undefined) throw new Error("an entry has no result");
      return results[0];
    },
  };
}

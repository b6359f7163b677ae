import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { generateKeyPair } from "@petak/client/node";
import { Act } from "@petak/protocol";
import { type Entry, type EntryResult, EntrySchema } from "@petak/protocol/counter";
import { createManualTimers, type ManualTimers, tempDir } from "@petak/testkit";
import { onTestFinished } from "vitest";
import { type Clerks, type Counter, createCounter, createShelf, openClerks, type Shelf } from "../src/counter/index.ts";
import { type Agent, type AgentStore, type CabinetCompartment, createAgent, openAgentStore, type ReportKey } from "../src/index.ts";
import { type AgentGateway, siteId, startAgentGateway } from "./agent-gateway.ts";
import { diskAfterPowerCut } from "./site.ts";

type Action = NonNullable<MessageInitShape<typeof EntrySchema>["action"]>;

/** A store with its agent, its shelf and a gateway, for one test. */
export interface TestStore {
  readonly gateway: AgentGateway;
  readonly timers: ManualTimers;
  readonly key: ReportKey;
  readonly clerks: Clerks;
  readonly storePath: string;
  readonly agent: Agent;
  readonly store: AgentStore;
  readonly shelf: Shelf;
  readonly counter: Counter;
  /** Does something as a clerk, on a tablet. */
  does(action: Action, by?: { clerkId?: string; tabletId?: string; entryId?: string }): Promise<EntryResult>;
  shows(text: string, by?: { clerkId?: string; tabletId?: string }): Promise<EntryResult>;
  moves(handOverId: string | undefined, label: string): Promise<EntryResult>;
  /** Takes a parcel in by its deposit code. @returns the reservation and the place */
  takesIn(label: string): Promise<{ reservationId: string; placeId: string }>;
  /** Another program over what the disk has now, as after a power cut. */
  afterPowerCut(): Promise<TestStore>;
}

/** The places of the test shelf. */
export const places = ["A1", "A2", "A3"].map((compartmentId) => ({ compartmentId, sizeClassId: "S" }));

export const tabletId = randomUUID();

/** Starts a store whose clerk-1 owns it and whose clerk-2 works there; it stops with the running test. */
export async function startStore(
  before?: Pick<TestStore, "gateway" | "timers" | "key" | "clerks" | "storePath">,
  shelfPlaces: readonly CabinetCompartment[] = places,
): Promise<TestStore> {
  const timers = before?.timers ?? createManualTimers(Date.UTC(2026, 10, 24, 12));
  const gateway = before?.gateway ?? (await startAgentGateway(timers.now));
  const folder = await tempDir();
  const clerks = before?.clerks ?? openClerks(join(folder, "clerks.json"));
  const storePath = before?.storePath ?? join(folder, "agent.db");
  const store = openAgentStore(storePath);
  const shelf = createShelf(store.counter, shelfPlaces);
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const { now, after } = timers;
  const key = before?.key ?? { keyId: "key_test_a", privateJwk: (await generateKeyPair()).privateJwk };
  const options = { client: gateway.agents, siteId, store, cabinet: shelf, logger, now, elapsedMs: now, after, random: () => 0.5 };
  const agent = createAgent({ ...options, refusalMs: 0, onAdopted: shelf.fill });
  const counter = createCounter({ desk: agent.desk, store, shelf, siteId, key, clerks, logger, elapsedMs: now, after });
  onTestFinished(async () => {
    await agent.stop();
    store.close();
  });
  await agent.start();

  const started: TestStore = {
    ...{ gateway, timers, key, clerks, storePath, agent, store, shelf, counter },
    async does(action, { clerkId = "clerk-2", tabletId: tablet = tabletId, entryId = randomUUID() } = {}) {
      const session = { clerk: { clerkId, name: "Mai", isOwner: false }, tabletId: tablet };
      const entry: Entry = create(EntrySchema, { entryId, clerkId, madeAt: timestampFromMs(now()), action });
      const [result] = await counter.submit(session, [entry]);
      if (result === undefined) throw new Error("an entry has no result");
      return result;
    },
    shows: (text, by) => started.does({ case: "showCode", value: { text } }, by),
    moves: (handOverId = "", label) => started.does({ case: "moveParcel", value: { handOverId, label } }),
    async takesIn(label) {
      const reservationId = gateway.newReservation();
      const { handOver } = await started.shows(await gateway.token(Act.DEPOSIT, reservationId));
      await started.moves(handOver?.handOverId, label);
      return { reservationId, placeId: handOver?.shelfPlace ?? "" };
    },
    afterPowerCut: async () => await startStore({ gateway, timers, key, clerks, storePath: await diskAfterPowerCut(started) }),
  };
  return started;
}

import { join } from "node:path";
import { type Agent, type AgentStore, createAgent, openAgentStore, type TestClockFollower } from "@petak/agent";
import { type Clerks, createCounter, createShelf, openClerks, startCounterServer } from "@petak/agent/counter";
import type { Random } from "@petak/testkit";
import type { TestKey } from "@petak/testkit/network";
import { copyDatabase } from "../offline/copy-database.ts";
import { type AgentLine, createRoughLine } from "../offline/rough-line.ts";

/** A place of a shelf. */
export interface Place {
  readonly compartmentId: string;
  readonly sizeClassId: string;
}

/** A store whose link to the gateway and power fail when a test says so. */
export interface RoughStore {
  readonly siteId: string;
  /** The agent that runs now, with its store. */
  readonly agent: Agent;
  readonly records: AgentStore;
  /** Where its counter is served now. */
  readonly url: string;
  /** Who works here, each with a PIN. */
  readonly clerks: readonly { readonly clerkId: string; readonly pin: string }[];
  /** What its agents warned of, for whoever looks for the reason of a failure. */
  readonly warnings: string[];
  isLinkCut: boolean;
  /** Cuts the power now, and starts the agent again with what is on the disk at this moment. */
  cutPower(): Promise<void>;
  stop(): Promise<void>;
}

export interface RoughStoreOptions {
  siteId: string;
  agents: AgentLine;
  key: TestKey;
  places: readonly Place[];
  clock: Pick<TestClockFollower, "now" | "after">;
  folder: string;
  /** Chooses what the line to the gateway loses and delivers twice. */
  random: Random;
}

/** One life of the agent, from start to power cut. */
interface Life {
  readonly agent: Agent;
  readonly records: AgentStore;
  readonly path: string;
  readonly url: string;
  /** Ends all that it does for others; its disk may be read. */
  goDark(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a store with two clerks. */
export async function startRoughStore(options: RoughStoreOptions): Promise<RoughStore> {
  const { siteId, agents, key, places, clock, folder, random } = options;
  const clerks = openClerks(join(folder, `${siteId}-clerks.json`));
  const lineWhile = createRoughLine(agents, random);
  let lives = 0;

  function note({ err }: { err?: unknown }, message: string): void {
    store.warnings.push(err instanceof Error ? `${message}: ${err.message}` : message);
  }

  async function begin(path: string): Promise<Life> {
    lives += 1;
    let isDark = false;
    const records = openAgentStore(path, { isDurable: false });
    const shelf = createShelf(records.counter, places);
    const logger = { info: () => undefined, warn: note, error: note };
    const agent = createAgent({
      ...{ siteId, reportKey: key, store: records, cabinet: shelf, logger, refusalMs: 0, onAdopted: shelf.fill },
      client: lineWhile(() => !isDark && !store.isLinkCut),
      now: clock.now,
      elapsedMs: clock.now,
      after: (delayMs, run) => clock.after(delayMs, () => isDark || run()),
      random: () => random.float(),
    });
    await agent.start();
    const server = await openCounter({ agent, records, shelf, clerks });
    const goDark = async () => {
      isDark = true;
      await server.stop();
    };
    return {
      ...{ agent, records, path, url: server.url, goDark },
      async stop() {
        await goDark();
        await agent.stop().catch(() => undefined);
        records.close();
      },
    };
  }

  function openCounter(life: { agent: Agent; records: AgentStore; shelf: ReturnType<typeof createShelf>; clerks: Clerks }) {
    const { agent, records, shelf } = life;
    const logger = { info: () => undefined, warn: note, error: note };
    const counter = createCounter({ desk: agent.desk, store: records, shelf, siteId, key, clerks, logger, elapsedMs: clock.now });
    return startCounterServer({ counter, host: "127.0.0.1", port: 0, logger, elapsedMs: clock.now });
  }

  const store: RoughStore = {
    siteId,
    get agent() {
      return current.agent;
    },
    get records() {
      return current.records;
    },
    get url() {
      return current.url;
    },
    clerks: [await addClerk(clerks, "Mai"), await addClerk(clerks, "Somchai")],
    warnings: [],
    isLinkCut: false,
    async cutPower() {
      const ended = current;
      const image = copyDatabase(ended.path, join(folder, `${siteId}-${lives}.db`));
      await ended.stop();
      current = await begin(image);
    },
    stop: () => current.stop(),
  };
  let current = await begin(join(folder, `${siteId}.db`));
  return store;
}

async function addClerk(clerks: Clerks, name: string) {
  const { clerk, pin } = await clerks.add(name, name === "Mai");
  return { clerkId: clerk.clerkId, pin };
}

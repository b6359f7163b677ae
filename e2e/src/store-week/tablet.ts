import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { type Counter, type CounterService, type Entry, type EntryResult, EntrySchema, type Parcel } from "@petak/protocol/counter";
import { createMemory, openOutbox, UnreachableError } from "@petak/store-app/outbox";
import type { Random } from "@petak/testkit";
import { createTabletClients } from "../counter/tablet-clients.ts";
import type { RoughStore } from "./rough-store.ts";

export type Action = NonNullable<MessageInitShape<typeof EntrySchema>["action"]>;

/** A clerk's tablet: the app's own outbox, over a line to the agent that fails. */
export interface Tablet {
  readonly tabletId: string;
  /** Whether it cannot reach the agent. */
  isCut: boolean;
  /** Makes the power of the store go while the next entries are on their way. */
  isPowerToGo: boolean;
  /** Entries without an answer. */
  readonly waiting: number;
  /**
   * Does something as a clerk. Resolves with the entry's id, and with its answer once it was tried to send it. Undefined: the entry waits.
   *
   * @param onAnswer called once with the answer, now or later
   */
  does(
    clerkId: string,
    action: Action,
    onAnswer: (result: EntryResult) => void,
  ): Promise<{ entryId: string; result: EntryResult | undefined }>;
  /** Takes back an entry that waits. False: it has its answer. */
  withdraw(entryId: string): Promise<boolean>;
  /** Sends what waits. False: some of it still does. */
  flush(): Promise<boolean>;
  /** What the screens show. Throws where the agent cannot be reached. */
  look(): Promise<{ counter: Counter; parcels: readonly Parcel[] }>;
}

/** Codes by which an agent says that it will never take what it was sent. */
const final: readonly Code[] = [Code.InvalidArgument, Code.OutOfRange, Code.FailedPrecondition, Code.NotFound];

/** Takes a new tablet into use. @param random chooses which answers are lost */
export async function openTablet(store: RoughStore, nowMs: () => number, random: Random): Promise<Tablet> {
  const tabletId = randomUUID();
  const clients = new Map<string, Client<typeof CounterService>>();
  const waitingFor = new Map<string, (result: EntryResult) => void>();
  const clientAt = createTabletClients();
  let clerk = store.clerks[0];

  function client(): Client<typeof CounterService> {
    if (tablet.isCut) throw new UnreachableError("the tablet is out of range");
    const { url } = store;
    const known = clients.get(url) ?? clientAt(url);
    clients.set(url, known);
    return known;
  }

  /** Calls the agent, as whoever has the tablet in hand. */
  async function call<Answer>(method: (counter: Client<typeof CounterService>) => Promise<Answer>): Promise<Answer> {
    try {
      try {
        return await method(client());
      } catch (error) {
        if (!(error instanceof ConnectError) || error.code !== Code.Unauthenticated) throw error;
        const { clerkId = "", pin = "" } = clerk ?? {};
        const signedIn = await client().signIn({ tabletId, clerkId, pin });
        if (signedIn.counter === undefined) throw new Error(`the PIN of ${clerkId} was refused`);
        return await method(client());
      }
    } catch (error) {
      // What breaks off half-way is no answer, whatever the transport makes of it.
      if (error instanceof ConnectError && !final.includes(error.code)) throw new UnreachableError(error.rawMessage);
      throw error;
    }
  }

  async function submit(entries: readonly Entry[]): Promise<readonly EntryResult[]> {
    const sending = call((counter) => counter.submit({ tabletId, entries: [...entries] }));
    if (tablet.isPowerToGo) {
      tablet.isPowerToGo = false;
      // Somewhere between the entry's way and its answer's.
      sending.catch(() => undefined);
      for (let turns = random.int(0, 40); turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
      await store.cutPower();
    }
    const { results } = await sending;
    if (random.bool(0.04)) throw new UnreachableError("the answer is lost");
    return results;
  }

  const outbox = await openOutbox(createMemory(), { submit, putPhoto: () => Promise.resolve() }, ({ entryId, action }, result) => {
    if (result === undefined) throw new Error(`the agent cannot take a ${action.case}`);
    waitingFor.get(entryId)?.(result);
    waitingFor.delete(entryId);
  });

  const tablet: Tablet = {
    tabletId,
    isCut: false,
    isPowerToGo: false,
    get waiting() {
      return outbox.waiting;
    },
    async does(clerkId, action, onAnswer) {
      clerk = store.clerks.find((one) => one.clerkId === clerkId);
      const entryId = randomUUID();
      let result: EntryResult | undefined;
      waitingFor.set(entryId, (answer) => {
        result = answer;
        onAnswer(answer);
      });
      await outbox.add(create(EntrySchema, { entryId, madeAt: timestampFromMs(nowMs()), clerkId, action }));
      return { entryId, result };
    },
    withdraw: (entryId) => outbox.withdraw(entryId),
    flush: () => outbox.flush(),
    async look() {
      const counter = await call((one) => one.getCounter({ tabletId }));
      const { parcels } = await call((one) => one.listParcels({}));
      const { counter: seen } = await call((one) => one.getCounter({ tabletId }));
      return { counter: seen ?? (counter.counter as Counter), parcels };
    },
  };
  return tablet;
}

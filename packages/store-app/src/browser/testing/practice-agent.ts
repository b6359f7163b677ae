import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  CounterService,
  GetCounterResponseSchema,
  ListParcelsResponseSchema,
  type Parcel,
  ParcelPlace,
  SubmitResponseSchema,
  TakeLeaseResponseSchema,
} from "@petak/protocol/counter";
import type { CounterPort } from "../../counter/port.ts";
import { createPracticePort } from "../../counter/practice/practice-port.ts";
import { startAppServer } from "./app-server.ts";

/** The made-up store behind an agent's wire, for the app as it is without practice mode. */
export interface PracticeAgent extends AsyncDisposable {
  readonly origin: string;
  readonly port: CounterPort;
  /** `before`: calls fail before they arrive; `after`: their answers are lost. Streams end, and files are not served. */
  cut: "before" | "after" | undefined;
  /** How many calls of Submit have arrived. */
  readonly submits: number;
}

/**
 * Serves the app and its made-up store on a free port. A clerk is signed in.
 *
 * @param others parcels on its shelf beside the made-up ones: they are listed and counted, and nothing happens to them
 */
export async function startPracticeAgent(others: readonly Parcel[] = []): Promise<PracticeAgent> {
  const port = createPracticePort("Kedai Rahmat", crypto.randomUUID(), Date.now);
  const streams = new Set<AbortController>();
  let cut: PracticeAgent["cut"];
  let submits = 0;

  async function call<T>(answer: () => Promise<T>): Promise<T> {
    if (cut === "before") throw new ConnectError("cut", Code.Unavailable);
    const done = await answer();
    if (cut === "after") throw new ConnectError("cut", Code.Unavailable);
    return done;
  }

  const routes = (router: ConnectRouter): unknown =>
    router.service(CounterService, {
      getCounter: ({ tabletId }) => call(async () => create(GetCounterResponseSchema, { counter: await counterFor(tabletId) })),
      async *watchCounter({ tabletId }, { signal }) {
        if (cut !== undefined) throw new ConnectError("cut", Code.Unavailable);
        const end = new AbortController();
        streams.add(end);
        for await (const _ of port.watch(AbortSignal.any([signal, end.signal]))) yield { counter: await counterFor(tabletId) };
      },
      listParcels: ({ knownVersion }) =>
        call(async () => {
          const list = await port.listParcels(knownVersion);
          if (list === undefined) return create(ListParcelsResponseSchema, { unchanged: true });
          return create(ListParcelsResponseSchema, { parcelsVersion: list.version, parcels: [...list.parcels, ...others] });
        }),
      // Another tablet has the lease.
      takeLease: () => call(async () => create(TakeLeaseResponseSchema)),
      submit: ({ entries }) => {
        submits += 1;
        return call(async () => create(SubmitResponseSchema, { results: [...(await port.submit(entries))] }));
      },
    });

  /** The counter as a tablet sees it: what is under way is under way on it. */
  async function counterFor(tabletId: string) {
    const counter = await port.getCounter();
    for (const one of [...counter.handOvers, ...counter.deliveries]) one.tabletId = tabletId;
    counter.onShelf += others.length;
    counter.forCourier += others.filter(({ place }) => place === ParcelPlace.FOR_COURIER).length;
    return counter;
  }

  const adapter = connectNodeAdapter({ routes: (router) => void routes(router) });
  const server = await startAppServer((request, response) => {
    if (request.url?.startsWith("/petak.counter.v1.") !== true) {
      if (cut !== undefined) response.writeHead(503).end();
      return cut !== undefined;
    }
    adapter(request, response);
    return true;
  });
  return {
    origin: server.origin,
    port,
    get cut() {
      return cut;
    },
    set cut(how) {
      cut = how;
      for (const stream of streams) stream.abort();
      streams.clear();
    },
    get submits() {
      return submits;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

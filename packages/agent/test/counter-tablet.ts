import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EndReason, type LeaseMaterial, TakeLeaseResponseSchema } from "@petak/protocol/counter";
import {
  App,
  type CounterPort,
  type CutLine,
  createMemory,
  cutLine,
  endHandOver,
  newHandOver,
  scanForHandOver,
} from "@petak/store-app/testing/tablet";
import { leaseMs } from "../src/counter/leases.ts";
import type { TestStore } from "./store.ts";

/** A tablet at a store's counter, whose line can be cut and whose page can be killed. */
export interface CounterTablet {
  readonly tabletId: string;
  readonly line: CutLine;
  readonly app: App;
  /** The app has heard from its agent, or could not. */
  hears(): Promise<void>;
  /** Another page of the app, over what the tablet's disk has. */
  reloads(): Promise<void>;
  /** Scans a code or a label. */
  scans(text: string): Promise<void>;
  /** The hand-over on its screen that is under way. */
  underWay(): { readonly handOverId: string; readonly shelfPlace: string } | undefined;
  /** The person comes back later. */
  endsNotNow(): Promise<void>;
  /** Takes up what the agent says is under way here, as from the first screen. */
  takesUp(): boolean;
}

/** Opens one, on which the clerk is signed in. */
export async function openTablet(store: TestStore, tabletId: string): Promise<CounterTablet> {
  const { timers } = store;
  const line = cutLine(portOf(store, tabletId));
  const disk = createMemory();
  const open = async () => {
    const app = new App({
      port: line.port,
      store: disk,
      tabletId,
      languages: ["en"],
      now: timers.now,
      steadyMs: timers.now,
      onChange() {},
    });
    await app.open();
    return app;
  };
  let app = await open();
  const tablet: CounterTablet = {
    tabletId,
    line,
    get app() {
      return app;
    },
    async hears() {
      await line.port.getCounter().then(
        (counter) => app.heard(counter),
        () => app.lost(),
      );
    },
    async reloads() {
      app = await open();
      await tablet.hears();
    },
    scans: (text) => scanForHandOver(app, text),
    underWay: () => (app.draft.handOver?.outcome === undefined ? app.draft.handOver?.handOver : undefined),
    endsNotNow: () => endHandOver(app, EndReason.NOT_NOW),
    takesUp() {
      const handOver = app.counter?.handOvers.find((one) => one.tabletId === tabletId);
      if (handOver === undefined || tablet.underWay() !== undefined) return false;
      app.setDraft({ handOver: { ...newHandOver, handOver } });
      return true;
    },
  };
  await tablet.hears();
  return tablet;
}

function portOf({ counter, timers }: TestStore, tabletId: string): CounterPort {
  const session = { clerk: { clerkId: "clerk-2", name: "Mai", isOwner: false }, tabletId };
  const unused = () => Promise.reject(new Error("it is not used here"));
  const answer = ({ digest }: LeaseMaterial, knownDigest: string) => digest === knownDigest;
  return {
    isPractice: false,
    getCounter: async () => counter.view(session),
    signIn: unused,
    signOut: unused,
    async *watch() {},
    async listParcels() {
      return counter.parcels();
    },
    submit: (entries) => counter.submit(session, entries),
    putPhoto: unused,
    getPhoto: unused,
    async takeLease(knownDigest) {
      const given = counter.leases.take(tabletId);
      if (given === undefined) return create(TakeLeaseResponseSchema);
      const { lease, material } = given;
      const times = { lasts: durationFromMs(leaseMs), now: timestampFromMs(timers.now()) };
      return create(TakeLeaseResponseSchema, { lease, ...times, ...(!answer(material, knownDigest) && { material }) });
    },
    async returnLease(leaseNumber) {
      counter.leases.giveBack(tabletId, Number(leaseNumber));
    },
  };
}

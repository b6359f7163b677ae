import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type Counter,
  CounterSchema,
  type Entry,
  EntryRefusal,
  type EntryResult,
  EntrySchema,
  ListParcelsResponseSchema,
  type Parcel,
} from "@petak/protocol/counter";
import type { CounterPort } from "../counter/port.ts";
import { randomUuid } from "../ids/random-uuid.ts";
import { LeaseKeeper } from "../lease/lease-keeper.ts";
import { touchedBy } from "../lease/touched-by.ts";
import { type Outbox, openOutbox } from "../outbox/outbox.ts";
import type { TabletStore } from "../outbox/tablet-store.ts";
import { findLanguage } from "../words/languages.ts";
import { createSpeaker, type Speaker } from "../words/speak.ts";
import { applyAnswer } from "./answers.ts";
import { type Draft, type DraftKeeper, readDraft, writeDraft } from "./draft.ts";
import type { Route } from "./route.ts";
import { newView, type View } from "./view.ts";

/** What was refused after its screen was left, until a clerk has seen it. */
export interface NotTaken {
  readonly entryId: string;
  /** The name of the action. */
  readonly action: string;
  readonly refusal: EntryRefusal;
  readonly atMs: number;
}

/** What an app runs on. */
export interface AppOptions {
  readonly port: CounterPort;
  readonly store: TabletStore;
  /** This tablet's UUID. */
  readonly tabletId: string;
  /** BCP 47, the best first. */
  readonly languages: readonly (string | undefined)[];
  /** The tablet's clock, in ms since 1970. */
  readonly now: () => number;
  /** A clock that only goes on, in ms. Default: the page's. */
  readonly steadyMs?: () => number;
  /** Is called whenever something that a screen shows has changed. */
  readonly onChange: () => void;
}

/** The state of the app and what changes it. Screens are functions of it. */
export class App implements DraftKeeper {
  readonly port: CounterPort;
  readonly store: TabletStore;
  readonly tabletId: string;
  counter: Counter | undefined;
  parcels: readonly Parcel[] = [];
  /** Whether the agent answered last. Undefined: it was not asked yet. */
  isReachable: boolean | undefined;
  draft: Draft = {};
  route: Route = { name: "today", id: "" };
  notTaken: readonly NotTaken[] = [];
  /** What this tablet may decide without its agent. */
  readonly lease: LeaseKeeper;
  /** What failed on this screen and was no answer of the agent. */
  problem: string | undefined;
  say: Speaker;
  /** What is typed and chosen on the screen, and is gone with the page. */
  view: View = newView;
  #outbox: Outbox | undefined;
  #parcelsVersion = 0n;
  #clockOffsetMs = 0;
  readonly #now: () => number;
  readonly #onChange: () => void;

  constructor({ port, store, tabletId, languages, now, onChange, steadyMs = () => performance.now() }: AppOptions) {
    this.port = port;
    this.store = store;
    this.tabletId = tabletId;
    this.say = createSpeaker(findLanguage(languages), "");
    this.lease = new LeaseKeeper({ port, store, tabletId, now, steadyMs });
    this.#now = now;
    this.#onChange = onChange;
  }

  /** Reads what an earlier page left: what was begun, what waits, and what was last heard. */
  async open(): Promise<void> {
    this.draft = readDraft(await this.store.read("draft"));
    const [counter, parcels, notTaken] = await Promise.all(["counter", "parcels", "not-taken"].map((name) => this.store.read(name)));
    const ignore = { ignoreUnknownFields: true };
    if (counter !== undefined) this.#show(fromJsonString(CounterSchema, counter, ignore));
    if (parcels !== undefined) this.#list(fromJsonString(ListParcelsResponseSchema, parcels, ignore));
    if (notTaken !== undefined) this.notTaken = JSON.parse(notTaken) as NotTaken[];
    await this.lease.open();
    const answered = (entry: Entry, result: EntryResult | undefined) => this.#answered(entry, result);
    this.#outbox = await openOutbox(this.store, this.port, answered, (result) => this.lease.touch(touchedBy(result)));
    this.changed();
  }

  /** The agent's time, in ms. */
  nowMs(): number {
    return this.#now() + this.#clockOffsetMs;
  }

  get waiting(): number {
    return this.#outbox?.waiting ?? 0;
  }

  /** Something that a screen shows has changed. */
  changed(): void {
    this.#onChange();
  }

  /** Replaces parts of the draft, and writes it to the disk. */
  setDraft(parts: Partial<Draft>): void {
    this.draft = { ...this.draft, ...parts };
    this.problem = undefined;
    this.store.write("draft", writeDraft(this.draft)).catch((error: Error) => {
      this.problem = error.message;
      this.changed();
    });
    this.changed();
  }

  /** Replaces parts of what is typed and chosen. */
  setView(parts: Partial<View>): void {
    this.view = { ...this.view, ...parts };
    this.changed();
  }

  /** Goes to a screen. */
  goTo(route: Route): void {
    this.route = route;
    this.problem = undefined;
    this.view = { ...newView, search: route.name === "parcel" ? this.view.search : "" };
    this.changed();
  }

  /** Chooses a language. */
  setLanguage(tag: string): void {
    this.say = createSpeaker(findLanguage([tag]), this.counter?.timeZone ?? "");
    this.changed();
  }

  /** The agent said what the counter is like. */
  async heard(counter: Counter): Promise<void> {
    this.isReachable = true;
    if (counter.now !== undefined) this.#clockOffsetMs = timestampMs(counter.now) - this.#now();
    this.#show(counter);
    this.changed();
    void this.store.write("counter", toJsonString(CounterSchema, counter));
    if (counter.clerk === undefined) return;
    const isAllSent = await this.#outbox?.flush();
    if (isAllSent === true && this.waiting === 0) await this.lease.heard(counter);
    if (counter.parcelsVersion !== this.#parcelsVersion) await this.#fetchParcels();
    this.changed();
  }

  /** The agent does not answer any more. */
  lost(): void {
    this.isReachable = false;
    void this.lease.note();
    this.changed();
  }

  /** This tablet is left: where there are others, they may hand over. */
  async putAside(): Promise<void> {
    if (this.isReachable === true && this.waiting === 0 && (this.counter?.otherTablets ?? 0) > 0) await this.lease.giveUp();
  }

  /**
   * Writes down what a clerk did, and sends it. A disk that is full is said on the screen.
   *
   * @param isLater true: it is sent with the next entries
   * @returns the entry's id. Undefined: it was not written, and nothing was done
   */
  async submit(action: Entry["action"], isLater = false): Promise<string | undefined> {
    const entry = create(EntrySchema, {
      entryId: randomUuid(),
      madeAt: timestampFromMs(this.nowMs()),
      clerkId: this.counter?.clerk?.clerkId ?? "",
      action,
    });
    this.problem = undefined;
    try {
      await (isLater ? this.#outbox?.keep(entry) : this.#outbox?.add(entry));
    } catch (error) {
      this.problem = (error as Error).message;
      this.changed();
      return undefined;
    }
    if (!isLater && this.waiting > 0 && this.isReachable === true) this.isReachable = false;
    this.changed();
    return entry.entryId;
  }

  /** Takes back an entry that has no answer. False: it had one. */
  async withdraw(entryId: string): Promise<boolean> {
    const isBack = (await this.#outbox?.withdraw(entryId)) ?? false;
    this.changed();
    return isBack;
  }

  /** Keeps a photo, to be sent to the store. Returns its id. */
  async keepPhoto(jpeg: Uint8Array): Promise<string> {
    const photoId = randomUuid();
    await this.#outbox?.addPhoto(photoId, jpeg);
    void this.#outbox?.flush();
    return photoId;
  }

  /** A clerk has seen what was not taken. */
  dismissNotTaken(): void {
    this.notTaken = [];
    void this.store.write("not-taken", undefined);
    this.changed();
  }

  #answered(entry: Entry, result: EntryResult | undefined): void {
    const refusal = result === undefined ? EntryRefusal.UNSPECIFIED : result.refusal;
    const isShown = applyAnswer(this, entry, result);
    if (!isShown && (result === undefined || refusal !== EntryRefusal.UNSPECIFIED)) {
      this.notTaken = [...this.notTaken, { entryId: entry.entryId, action: entry.action.case ?? "", refusal, atMs: this.nowMs() }];
      void this.store.write("not-taken", JSON.stringify(this.notTaken));
    }
    this.changed();
  }

  #show(counter: Counter): void {
    if (counter.timeZone !== this.counter?.timeZone) this.say = createSpeaker(this.say.language, counter.timeZone);
    this.counter = counter;
  }

  #list({ parcelsVersion, parcels }: { parcelsVersion: bigint; parcels: readonly Parcel[] }): void {
    this.#parcelsVersion = parcelsVersion;
    this.parcels = parcels;
  }

  async #fetchParcels(): Promise<void> {
    const list = await this.port.listParcels(this.#parcelsVersion).catch(() => undefined);
    if (list === undefined) return;
    const response = create(ListParcelsResponseSchema, { parcelsVersion: list.version, parcels: [...list.parcels] });
    this.#list(response);
    void this.store.write("parcels", toJsonString(ListParcelsResponseSchema, response));
  }
}

import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type DecidedHandOver, decideByLease, LeaseClock, type LeaseDecision, type LeaseTime } from "@petak/agent/lease";
import { Act } from "@petak/protocol";
import { type Counter, type HandOver, HandOverSchema, type LeaseMaterial, LeaseMaterialSchema } from "@petak/protocol/counter";
import { isSameLabel } from "../counter/labels.ts";
import type { CounterPort } from "../counter/port.ts";
import type { TabletStore } from "../outbox/tablet-store.ts";

/** What a lease keeper runs on. */
export interface LeaseKeeperOptions {
  readonly port: CounterPort;
  readonly store: TabletStore;
  readonly tabletId: string;
  /** The tablet's clock, in ms since 1970. */
  readonly now: () => number;
  /** The page's clock, which only goes on, in ms. */
  readonly steadyMs: () => number;
}

/** The lease as it stands on the tablet's disk, beside its material. */
interface KeptLease {
  readonly number: string;
  readonly digest: string;
  readonly siteId: string;
  /** The agent's time when it was given, in ms. */
  readonly givenAtMs: number;
  readonly lastsMs: number;
  readonly time: LeaseTime;
  readonly decided: readonly DecidedHandOver[];
  readonly touched: readonly string[];
}

interface HeldLease extends Omit<KeptLease, "time" | "digest"> {
  readonly material: LeaseMaterial;
  readonly clock: LeaseClock;
}

/** A hand-over that this tablet has decided. */
export interface BegunAlone {
  readonly handOver: HandOver;
  /** What the agent gets. */
  readonly decided: { readonly leaseNumber: bigint; readonly handOverId: string; readonly reservationId: string };
  /** Notes it. On disk when it resolves. */
  keep(): Promise<void>;
}

const keyOfLease = "lease";
const keyOfMaterial = "lease-material";

/** Keeps this tablet's lease: takes, renews and returns it while the agent can be reached, and decides by it while not. */
export class LeaseKeeper {
  #held: HeldLease | undefined;
  #isBusy = false;
  /** How often the lease was given up: an answer to a call from before that comes too late. */
  #givenUp = 0;
  readonly #options: LeaseKeeperOptions;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** Reads what an earlier page left. A lease whose material is not the one that it was kept with is none. */
  async open(): Promise<void> {
    const { store } = this.#options;
    const [text, material] = await Promise.all([store.read(keyOfLease), store.read(keyOfMaterial)]);
    if (text === undefined || material === undefined) return;
    const { time, digest, ...kept } = JSON.parse(text) as KeptLease;
    const read = fromJsonString(LeaseMaterialSchema, material, { ignoreUnknownFields: true });
    if (read.digest === digest && typeof time.elapsedMs === "number") this.#held = { ...kept, material: read, clock: this.#clock(time) };
  }

  /** Until when this tablet may decide, by the agent's time, in ms. Undefined: it may not. */
  endsAtMs(): number | undefined {
    const held = this.#held;
    if (held === undefined || held.clock.elapsedMs() >= held.lastsMs) return undefined;
    return held.givenAtMs + held.lastsMs;
  }

  /**
   * The agent can be reached, and somebody is signed in: takes or renews the lease, or returns it if another tablet wants it. All that was decided must have been sent. Never
   * fails: the next call comes soon.
   */
  async heard({ lease, siteId }: Counter): Promise<void> {
    const { port, tabletId } = this.#options;
    if (port.takeLease === undefined || this.#isBusy) return;
    this.#isBusy = true;
    try {
      if (lease?.tabletId === tabletId && lease.isWanted) await this.#giveBack(lease.number);
      else if (lease === undefined || lease.tabletId === tabletId) await this.#take(siteId);
      else if (this.#held !== undefined) await this.#drop();
    } catch {
      // What was not answered is asked again.
    } finally {
      this.#isBusy = false;
    }
  }

  /** Returns the lease, because this tablet is left. All that was decided must have been sent. */
  async giveUp(): Promise<void> {
    this.#givenUp += 1;
    if (this.#held !== undefined) await this.#giveBack(BigInt(this.#held.number)).catch(() => {});
  }

  /** Notes how much time has passed, for a later page. */
  async note(): Promise<void> {
    if (this.#held !== undefined) await this.#write(this.#held).catch(() => {});
  }

  /** Decides about a code. Undefined: this tablet has no lease. */
  async decide(text: string, handOverId: string): Promise<BegunAlone | Extract<LeaseDecision, { opens: false }> | undefined> {
    const held = this.#held;
    if (held === undefined || this.endsAtMs() === undefined) return undefined;
    const decision = await decideByLease(text, held, held.givenAtMs + held.clock.elapsedMs());
    if (!decision.opens) return decision;
    const { begun, number, of } = decision;
    const { act, reservationId, shelfPlace } = begun;
    const parcel = held.material.parcels.find((one) => one.reservationId === reservationId);
    const { labelCodes = [], requirements = [], cashDue } = parcel ?? {};
    const handOver = create(HandOverSchema, {
      ...{ handOverId, act, shelfPlace, number, of, tabletId: this.#options.tabletId },
      labelEnding: labelCodes[0]?.slice(-6) ?? "",
      ...(act === Act.COLLECT && { requirements, ...(cashDue && { cashDue }) }),
    });
    return {
      handOver,
      decided: { leaseNumber: BigInt(held.number), handOverId, reservationId },
      keep: () => this.#change(({ decided }) => ({ decided: [...decided, { ...begun, handOverId }] })),
    };
  }

  /** Whether a label is that of a hand-over's parcel. Undefined: this tablet did not decide it. */
  isLabelOf(handOverId: string, label: string): boolean | undefined {
    const decided = this.#held?.decided.find((one) => one.handOverId === handOverId);
    const parcel = this.#held?.material.parcels.find(({ reservationId }) => reservationId === decided?.reservationId);
    if (parcel === undefined) return undefined;
    const { labelCodes, shelfPlace, reservationId } = parcel;
    return [...(labelCodes.length > 0 ? labelCodes : [`place:${shelfPlace}`]), reservationId].some((code) => isSameLabel(code, label));
  }

  /** A hand-over that this tablet decided has ended. On disk when it resolves. */
  async ended(handOverId: string, outcome: DecidedHandOver["outcome"]): Promise<void> {
    await this.#change(({ decided }) => ({ decided: decided.map((one) => (one.handOverId === handOverId ? { ...one, outcome } : one)) }));
  }

  /** Something was done through the agent at places of the shelf: until the agent has told what, no code opens there. On disk when it resolves. */
  async touch(places: readonly string[]): Promise<void> {
    if (places.length > 0) await this.#change(({ touched }) => ({ touched: [...touched, ...places] }));
  }

  async #change(change: (held: HeldLease) => Partial<HeldLease>): Promise<void> {
    if (this.#held === undefined) return;
    this.#held = { ...this.#held, ...change(this.#held) };
    await this.#write(this.#held);
  }

  #clock(time?: LeaseTime): LeaseClock {
    const { now, steadyMs } = this.#options;
    return new LeaseClock({ steadyMs, wallMs: now }, time);
  }

  async #take(siteId: string): Promise<void> {
    const before = this.#held;
    // From before the call, so that it ends here before it does at the agent.
    const clock = this.#clock();
    const givenUp = this.#givenUp;
    const { lease, lasts, material, now } = (await this.#options.port.takeLease?.(before?.material.digest ?? "")) ?? {};
    const known = material ?? before?.material;
    if (lease === undefined || lasts === undefined || now === undefined || known === undefined) return;
    if (givenUp !== this.#givenUp) return await this.#giveBack(lease.number);
    const number = String(lease.number);
    // What was done while the agent answered is not in its answer.
    const isSame = before !== undefined && this.#held?.number === before.number;
    const decided = isSame ? (this.#held?.decided.slice(before.decided.length) ?? []) : [];
    const touched = isSame ? (this.#held?.touched.slice(before.touched.length) ?? []) : [];
    const held = { number, siteId, givenAtMs: timestampMs(now), lastsMs: durationMs(lasts), decided, touched, material: known, clock };
    if (material !== undefined) await this.#options.store.write(keyOfMaterial, toJsonString(LeaseMaterialSchema, material));
    await this.#write(held);
    this.#held = held;
  }

  /** Decides no more before it says so. */
  async #giveBack(leaseNumber: bigint): Promise<void> {
    await this.#drop();
    await this.#options.port.returnLease?.(leaseNumber);
  }

  async #drop(): Promise<void> {
    this.#held = undefined;
    await this.#options.store.write(keyOfLease, undefined);
  }

  async #write({ material, clock, ...held }: HeldLease): Promise<void> {
    const kept: KeptLease = { ...held, digest: material.digest, time: clock.note() };
    await this.#options.store.write(keyOfLease, JSON.stringify(kept));
  }
}

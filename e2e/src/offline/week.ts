import { randomUUID } from "node:crypto";
import type { Presentation } from "@petak/agent";
import { Act, CancellationReason, DoubtOutcome, ReservationState, reasonOf } from "@petak/protocol";
import type { Random } from "@petak/testkit";
import { expect } from "vitest";
import { nameOf } from "../life/life-world.ts";
import { dayMs, minuteMs, type OfflineNetwork, parcels } from "./offline-network.ts";
import type { RoughTerminal } from "./rough-terminal.ts";

/** A parcel, and where it really is. */
export interface Parcel {
  readonly reservationId: string;
  readonly terminal: RoughTerminal;
  readonly sizeClassId: "S" | "L";
  where: "with its sender" | "inside" | "collected" | "taken back";
  /** Whether its sender has given the reservation up. */
  isCancelled: boolean;
  readonly shown: Shown[];
}

/** A credential, and the doors that it opened. */
interface Shown {
  readonly act: Act;
  readonly credential: { token: string } | { pin: string };
  readonly opened: string[];
}

/** What the operator says of a doubt about a parcel, by where it really is then. */
const outcomes = {
  "with its sender": DoubtOutcome.NO_PARCEL,
  inside: DoubtOutcome.NO_PARCEL,
  collected: DoubtOutcome.COLLECTED,
  "taken back": DoubtOutcome.RECALLED,
} as const;

/** A week of people at three terminals. */
export class Week {
  readonly parcels: Parcel[] = [];
  /** What happened, for whoever looks for the reason of a failure. */
  readonly said: string[] = [];
  readonly counts = new Map<string, number>();
  /** What really lies behind the doors. */
  readonly #inside = new Map<RoughTerminal, Map<string, Parcel>>();
  readonly around: OfflineNetwork;
  readonly #random: Random;

  constructor(around: OfflineNetwork, random: Random) {
    this.around = around;
    this.#random = random;
    for (const terminal of around.terminals) this.#inside.set(terminal, new Map());
  }

  /** The parcel that really lies behind a door. */
  inside(terminal: RoughTerminal, compartmentId: string): Parcel | undefined {
    return this.#inside.get(terminal)?.get(compartmentId);
  }

  say(what: string, terminal?: RoughTerminal): void {
    const at = terminal === undefined ? "" : ` at ${this.around.terminals.indexOf(terminal) + 1}`;
    this.said.push(`${new Date(this.around.clock.now()).toISOString().slice(8, 19)} ${what}${at}`);
    const kind = what.replace(/res_\S+|[SL]\d/g, "…");
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  async step(): Promise<void> {
    const random = this.#random;
    const { terminals } = this.around;
    if (random.bool(0.6)) await this.around.pass(random.int(1, 90) * minuteMs);
    const terminal = random.pick(terminals);
    const kinds: [number, () => Promise<void> | void][] = [
      [18, () => this.#reserve(terminal)],
      [24, () => this.#show((parcel) => parcel.where === "with its sender" && !parcel.isCancelled, Act.DEPOSIT)],
      [20, () => this.#show((parcel) => parcel.where === "inside", Act.COLLECT)],
      [4, () => this.#show((parcel) => parcel.where === "inside", Act.RECALL)],
      [8, () => this.#show(() => true)],
      [4, () => this.#cancel()],
      [6, () => this.#cutLink(terminal)],
      [3, () => this.#cutPower(terminal)],
      [2, () => this.#armCut(terminal)],
      [2, () => this.#setClock(terminal)],
      [3, () => this.#closeDoors(terminal)],
      [4, () => terminal.running.agent.syncNow().catch(() => undefined)],
      [2, () => this.#jam(terminal)],
      [3, () => this.#fillDisk(terminal)],
      [2, () => void Object.assign(terminal, { areSensorsWorn: random.bool(0.3) })],
      [2, () => (terminal.isLinkCut || terminal.isDiskFull || terminal.wrongMs !== 0 ? undefined : this.inspect(terminal))],
    ];
    let at = random.float(
      0,
      kinds.reduce((sum, [weight]) => sum + weight, 0),
    );
    for (const [weight, run] of kinds) {
      at -= weight;
      if (at < 0) return await run();
    }
  }

  async #reserve(terminal: RoughTerminal): Promise<void> {
    const sizeClassId = this.#random.pick(["S", "S", "L"] as const);
    const place = { case: "siteId", value: terminal.siteId } as const;
    const { reservations } = this.around.courier.client;
    try {
      const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel: parcels[sizeClassId] });
      const reservationId = reservation?.reservationId ?? "";
      await reservations.confirm({
        requestId: randomUUID(),
        reservationId,
        depositWithin: { seconds: BigInt(this.#random.int(2, 30) * 3600) },
      });
      const parcel: Parcel = {
        reservationId,
        terminal,
        sizeClassId: reservation?.sizeClassId as "S",
        where: "with its sender",
        isCancelled: false,
        shown: [],
      };
      this.parcels.push(parcel);
      this.say(`${reservationId} is reserved`, terminal);
      await this.#issue(parcel, Act.DEPOSIT);
      if (this.#random.bool(0.2)) await this.#issue(parcel, Act.DEPOSIT);
      if (this.#random.bool(0.8)) await this.#issue(parcel, Act.COLLECT);
    } catch (error) {
      this.say(`a reservation is refused: ${reasonOf(error)}`, terminal);
      expect(reasonOf(error)).toBe("NO_PLACE_FREE");
    }
  }

  async #issue(parcel: Parcel, act: Act): Promise<void> {
    const { courier, holder } = this.around;
    const withPin = act === Act.COLLECT && this.#random.bool(0.4);
    const request = {
      requestId: randomUUID(),
      reservationId: parcel.reservationId,
      act,
      withPin,
      ...(act === Act.RECALL && { holderPublicKey: holder.publicKey }),
    };
    const issued = await courier.client.reservations.issueCredential(request).catch((error: unknown) => reasonOf(error) ?? String(error));
    if (typeof issued === "string") return this.say(`no credential for ${nameOf(Act, act)} of ${parcel.reservationId}: ${issued}`);
    parcel.shown.push({ act, credential: { token: issued.accessToken }, opened: [] });
    if (issued.pin !== "") parcel.shown.push({ act, credential: { pin: issued.pin }, opened: [] });
  }

  /** Somebody shows a credential, which may be an old one. */
  async #show(isMeant: (parcel: Parcel) => boolean, act?: Act): Promise<void> {
    const random = this.#random;
    const meant = this.parcels.filter(isMeant);
    if (meant.length === 0) return;
    const parcel = random.pick(meant);
    const mine = () => parcel.shown.filter((one) => act === undefined || one.act === act);
    if (act !== undefined && (mine().length === 0 || random.bool(0.15))) await this.#issue(parcel, act);
    if (mine().length === 0) return;
    const shown = random.pick(mine());
    const { terminal } = parcel;
    const { holder } = this.around;
    const { credential } = shown;
    const presentation = await terminal.present(async () =>
      shown.act === Act.RECALL && "token" in credential ? await holder.show(terminal.running, credential.token) : credential,
    );
    if (presentation === undefined) this.say(`the power went while ${parcel.reservationId} was shown`, terminal);
    else await this.#use(parcel, shown, presentation);
  }

  async #use(parcel: Parcel, shown: Shown, presentation: Presentation): Promise<void> {
    const { terminal, reservationId } = parcel;
    const act = nameOf(Act, shown.act);
    const kind = "pin" in shown.credential ? "PIN" : "token";
    if (!presentation.opened) return this.say(`${kind} for ${act} of ${reservationId} is refused: ${presentation.refusal}`, terminal);
    const { compartmentId } = presentation;
    this.say(`${kind} for ${act} of ${reservationId} opens ${compartmentId}`, terminal);
    this.#judge(parcel, shown, compartmentId);
    shown.opened.push(compartmentId);
    this.#usePlace(parcel, shown.act, compartmentId);
  }

  /** What must be so when a door opens. */
  #judge(parcel: Parcel, shown: Shown, compartmentId: string): void {
    const lies = this.inside(parcel.terminal, compartmentId);
    const { act, opened } = shown;
    const about = { said: this.said, compartmentId };
    // Nobody gets, sees or covers another's parcel.
    expect({ ...about, lies: lies?.reservationId }).toEqual({
      ...about,
      lies: act === Act.DEPOSIT || lies === undefined ? undefined : parcel.reservationId,
    });
    // The same credential opens once more only the same door, as long as nothing has come of it.
    const isDone = act === Act.DEPOSIT ? parcel.where !== "with its sender" : parcel.where !== "inside";
    expect({ ...about, isDone, opened: opened.filter((door) => door !== compartmentId) }).toEqual({ ...about, isDone: false, opened: [] });
    expect(opened.length).toBeLessThan(3);
  }

  #usePlace(parcel: Parcel, act: Act, compartmentId: string): void {
    const { terminal } = parcel;
    const random = this.#random;
    const inside = this.#inside.get(terminal) as Map<string, Parcel>;
    if (random.bool(0.9)) {
      if (act === Act.DEPOSIT) {
        terminal.cabinet.putIn(compartmentId);
        inside.set(compartmentId, parcel);
        parcel.where = "inside";
      } else {
        terminal.cabinet.takeOut(compartmentId);
        inside.delete(compartmentId);
        parcel.where = act === Act.COLLECT ? "collected" : "taken back";
      }
      this.say(`${parcel.reservationId} is ${parcel.where}`, terminal);
    }
    if (random.bool(0.9)) terminal.cabinet.closeDoor(compartmentId);
  }

  async #cancel(): Promise<void> {
    const meant = this.parcels.filter(({ where, isCancelled }) => where === "with its sender" && !isCancelled);
    if (meant.length === 0) return;
    const parcel = this.#random.pick(meant);
    const request = { requestId: randomUUID(), reservationId: parcel.reservationId, reason: CancellationReason.OTHER };
    const refused = await this.around.courier.client.reservations.cancel(request).then(
      () => "done",
      (error: unknown) => reasonOf(error) ?? String(error),
    );
    // Some drivers do not hear of it.
    parcel.isCancelled = this.#random.bool(0.5);
    this.say(`${parcel.reservationId} is cancelled: ${refused}`, parcel.terminal);
  }

  #cutLink(terminal: RoughTerminal): void {
    // Cut for most of the week.
    terminal.isLinkCut = this.#random.bool(0.7);
    this.say(terminal.isLinkCut ? "the link is cut" : "the link is back", terminal);
  }

  async #cutPower(terminal: RoughTerminal): Promise<void> {
    if (this.#random.bool(0.3)) this.#setClock(terminal);
    await terminal.cutPower();
    this.say("the power was cut", terminal);
  }

  #armCut(terminal: RoughTerminal): void {
    terminal.cutAt = this.#random.pick(["before the lock", "after the lock"] as const);
  }

  #setClock(terminal: RoughTerminal): void {
    terminal.wrongMs = this.#random.pick([0, 0, -dayMs, dayMs, -365 * dayMs, 365 * dayMs]);
    this.say(`the clock is ${terminal.wrongMs / dayMs} days ahead`, terminal);
  }

  #fillDisk(terminal: RoughTerminal): void {
    terminal.isDiskFull = this.#random.bool(0.4);
    this.say(terminal.isDiskFull ? "the disk is full" : "the disk has room", terminal);
  }

  #closeDoors(terminal: RoughTerminal): void {
    for (const { compartmentId } of terminal.cabinet.compartments()) terminal.cabinet.closeDoor(compartmentId);
  }

  #jam({ cabinet }: RoughTerminal): void {
    const { compartmentId } = this.#random.pick(cabinet.compartments());
    cabinet.setJammed(compartmentId, this.#random.bool(0.3));
  }

  #mend(terminal: RoughTerminal): void {
    Object.assign(terminal, { cutAt: undefined, areSensorsWorn: false });
    this.#closeDoors(terminal);
    for (const { compartmentId } of terminal.cabinet.compartments()) terminal.cabinet.setJammed(compartmentId, false);
  }

  /** Everything works again, and the last outcomes settle. */
  async heal(): Promise<void> {
    const { terminals, pass } = this.around;
    for (const terminal of terminals) {
      Object.assign(terminal, { isLinkCut: false, isDiskFull: false, wrongMs: 0 });
      this.#mend(terminal);
      await untilDone(() => terminal.running.agent.syncNow());
    }
    for (let round = 0; round < 2; round += 1) {
      await pass(3 * minuteMs);
      for (const terminal of terminals) await this.#flush(terminal);
    }
  }

  /** Waits until the gateway has all reports. Lost answers are followed by pauses, which time ends. */
  async #flush({ running, warnings }: RoughTerminal): Promise<void> {
    const flushed = { isDone: false };
    void running.agent.flushed().then(
      () => Object.assign(flushed, { isDone: true }),
      () => Object.assign(flushed, { isDone: true }),
    );
    for (let turn = 1; !flushed.isDone; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (turn % 200 === 0) await this.around.pass(minuteMs);
      if (turn > 40_000) throw new Error(`reports are not delivered: ${warnings.slice(-5).join("; ")}`);
    }
  }

  /** The operator goes to a terminal whose link is up, looks into every place in doubt, and says what it found. */
  async inspect(terminal: RoughTerminal): Promise<void> {
    const { courier, operator, pass } = this.around;
    const inDoubt = () =>
      terminal.cabinet
        .compartments()
        .filter(({ compartmentId }) => terminal.running.store.compartment(compartmentId).condition === "IN_DOUBT");
    this.#mend(terminal);
    await pass(3 * minuteMs);
    await this.#flush(terminal);
    for (const parcel of this.parcels.filter((one) => one.terminal === terminal)) {
      const { reservationId } = parcel;
      const { reservation } = await courier.client.reservations.getReservation({ reservationId });
      if (reservation?.state !== ReservationState.IN_DOUBT) continue;
      const [door] = [...(this.#inside.get(terminal) ?? [])].find(([, one]) => one === parcel) ?? [];
      if (door !== undefined) await this.#clearPlace(terminal, door);
      const outcome = outcomes[parcel.where];
      await operator.client.reservations.resolveDoubt({ requestId: randomUUID(), reservationId, outcome });
      this.say(`the operator resolves ${reservationId}: ${nameOf(DoubtOutcome, outcome)}`, terminal);
    }
    // A parcel that the operator has taken out is in doubt at the terminal after the grace period, until the operator has looked again.
    await pass(3 * minuteMs);
    await this.#flush(terminal);
    for (const { compartmentId } of inDoubt()) await this.#clearPlace(terminal, compartmentId);
    await this.#flush(terminal);
  }

  /** The operator opens a door of which nobody knows, and gives what lies there back to who sent it. */
  async #clearPlace(terminal: RoughTerminal, compartmentId: string): Promise<void> {
    const { operator, holder } = this.around;
    const lies = this.inside(terminal, compartmentId);
    const request = {
      requestId: randomUUID(),
      act: Act.SERVICE,
      siteId: terminal.siteId,
      compartmentId,
      holderPublicKey: holder.publicKey,
    };
    const { accessToken } = await operator.client.reservations.issueCredential(request);
    const opened = await terminal.present(async () => await holder.show(terminal.running, accessToken, { compartmentId }));
    expect(opened).toMatchObject({ opened: true, compartmentId });
    if (lies !== undefined) {
      terminal.cabinet.takeOut(compartmentId);
      this.#inside.get(terminal)?.delete(compartmentId);
      lies.where = "taken back";
    }
    terminal.cabinet.closeDoor(compartmentId);
    await this.#flush(terminal);
    this.say(`the operator empties ${compartmentId} of ${lies?.reservationId ?? "nothing"}`, terminal);
  }
}

async function untilDone(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (tries === 50) throw error;
    }
  }
}

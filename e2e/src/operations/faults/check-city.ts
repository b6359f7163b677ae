import { create } from "@bufbuild/protobuf";
import type { RequestSigner } from "@petak/client/node";
import { type IssuerKeyPeriod, readIssuerKeySet, verifyChain } from "@petak/credential";
import {
  type Event,
  type EventType,
  type GetCustodyChainResponse,
  GetCustodyChainResponseSchema,
  type ReservationState,
  reasonOf,
} from "@petak/protocol";
import type { GatewayProcess } from "@petak/testkit/network";
import { expect } from "vitest";
import type { Callers } from "./callers.ts";
import type { CitySite } from "./city-site.ts";
import type { Listener } from "./listener.ts";
import { heldStates, isOpen, type Life, occupiedStates, stateOf, steps, type Told } from "./lives.ts";

/** What a check looks at. */
export interface CheckInput {
  callers: Callers;
  courier: RequestSigner;
  sites: readonly CitySite[];
  gateways: readonly GatewayProcess[];
  lives: Life[];
  /** Those that were worked at since the last check. */
  touched: readonly Life[];
  listeners: readonly Listener[];
  /** What was answered from then on may be lost, in ms; undefined: nothing may. */
  lostAfterMs: number | undefined;
}

/** What a check has found, and looked at. */
export interface Checked {
  /** Reservations that were compared, and the steps in their chains. */
  reservations: number;
  transitions: number;
  /** Signed receipts in these chains, each verified. */
  receipts: number;
  /** Events in the log. */
  events: number;
  /** Sites whose counts were compared. */
  sites: number;
  /** Answered steps that are lost. */
  lost: number;
}

/** The step that an event says was taken. */
const stateByEvent = new Map<EventType, ReservationState>(Object.values(steps).map(({ event, state }) => [event, state]));

/**
 * Compares what the clients were told with what is recorded, while nobody works: each answered step is in its reservation's chain once and in order,
 * the log has each event once, listeners have heard each once, and what every site counts is what is held and lies there.
 */
export async function checkCity(input: CheckInput): Promise<Checked> {
  const { callers, courier, lives, touched, lostAfterMs } = input;
  const events = await allEvents(callers, courier);
  const ids = events.map(({ eventId }) => eventId);
  expect(new Set(ids).size, "events in the log twice").toBe(ids.length);
  const chains = Map.groupBy(events, ({ reservationId }) => reservationId);

  if (lostAfterMs !== undefined) adoptUnknown(lives, chains);
  let lost = 0;
  let transitions = 0;
  let receipts = 0;
  const issuerKeys = await publishedKeys(input);
  const looked = lostAfterMs === undefined ? touched : lives.filter((life) => touched.includes(life) || mayBeLost(life, lostAfterMs));
  for (const life of looked) {
    const whole = await chainOf(callers, courier, life);
    const { reservation, events: chain } = whole;
    if (reservation !== undefined) {
      const { faults, statement } = await verifyChain(whole, { issuerKeys });
      expect(faults, `the receipts of ${life.reservationId}`).toEqual([]);
      expect(statement?.events, `what is stated of ${life.reservationId}`).toBe(whole.events.length);
      receipts += whole.receipts.length;
    }
    expect(
      chain.map(({ eventId }) => eventId),
      `the chain of ${life.reservationId} and the log`,
    ).toEqual((chains.get(life.reservationId) ?? []).map(({ eventId }) => eventId));
    expect(
      chain.map(({ reservationRevision }) => reservationRevision),
      `revisions of ${life.reservationId}`,
    ).toEqual(chain.map((_, index) => index + 1));
    if (lostAfterMs !== undefined) lost += takeAsKept(life, chain, lostAfterMs);
    expect({ id: life.reservationId, chain: chain.map(({ type }) => type), state: reservation?.state }).toEqual({
      id: life.reservationId,
      chain: life.told.map(({ event }) => event),
      state: stateOf(life),
    });
    transitions += chain.length;
  }
  if (lostAfterMs !== undefined) {
    lives.splice(0, lives.length, ...lives.filter(({ told }) => told.length > 0));
    await bootAgents(input);
  }
  expect(events.length, "events in the log").toBe(lives.reduce((sum, { told }) => sum + told.length, 0));
  await checkCounts(input);
  // Numbers of lost events are given again, so that whoever has heard of those has to begin anew.
  if (lostAfterMs === undefined) await checkListeners(input, ids);
  return { reservations: looked.length, transitions, receipts, events: events.length, sites: input.sites.length, lost };
}

function mayBeLost({ told }: Life, lostAfterMs: number): boolean {
  return told.some(({ answeredMs }) => answeredMs >= lostAfterMs);
}

/** Takes over reservations that were made for somebody who got no answer. */
function adoptUnknown(lives: Life[], chains: Map<string, Event[]>): void {
  const known = new Set(lives.map(({ reservationId }) => reservationId));
  for (const [reservationId, [first]] of chains) {
    if (known.has(reservationId) || first === undefined) continue;
    lives.push({ reservationId, siteId: first.siteId, told: [{ ...steps.reserve, answeredMs: Number.POSITIVE_INFINITY }] });
  }
}

/** What is kept must be what was told, in order, but for an end that may be lost or was not answered. Gives how many answered steps are lost. */
function takeAsKept(life: Life, chain: readonly Event[], lostAfterMs: number): number {
  const possible: Told[] = [
    ...life.told,
    ...(life.pending === undefined ? [] : [{ ...life.pending, answeredMs: Number.POSITIVE_INFINITY }]),
  ];
  const kept = possible.slice(0, chain.length);
  expect({ id: life.reservationId, kept: chain.map(({ type }) => type) }, "a beginning of what was told").toEqual({
    id: life.reservationId,
    kept: kept.map(({ event }) => event),
  });
  const gone = life.told.slice(chain.length);
  expect(
    gone.filter(({ answeredMs }) => answeredMs < lostAfterMs),
    `what of ${life.reservationId} was lost though it was answered before`,
  ).toEqual([]);
  life.told = kept.map((told) => ({ ...told, state: stateByEvent.get(told.event) as ReservationState }));
  life.pending = undefined;
  return gone.length;
}

async function chainOf(callers: Callers, courier: RequestSigner, { reservationId }: Life): Promise<GetCustodyChainResponse> {
  try {
    return await callers.answered(courier, (client) => client.custody.getCustodyChain({ reservationId }));
  } catch (error) {
    if (reasonOf(error) !== "RESERVATION_NOT_FOUND") throw error;
    return create(GetCustodyChainResponseSchema);
  }
}

/** The issuer's keys as any gateway publishes them, by which chains are verified. */
async function publishedKeys({ gateways }: CheckInput): Promise<IssuerKeyPeriod[]> {
  const answer = await fetch(`http://127.0.0.1:${gateways[0]?.port}/.well-known/petak/issuer-keys.json`);
  return await readIssuerKeySet(await answer.json());
}

/** All events that the courier may see, in the order of the log. */
async function allEvents(callers: Callers, courier: RequestSigner): Promise<Event[]> {
  const all: Event[] = [];
  for (let cursor = ""; ; ) {
    const from = cursor;
    const page = await callers.answered(courier, (client) => client.custody.listEvents({ cursor: from, pageSize: 1000 }));
    all.push(...page.events);
    if (page.events.length === 0) return all;
    cursor = page.nextCursor;
  }
}

/** Agents go on from the number that the gateway says it has. */
async function bootAgents({ callers, sites }: CheckInput): Promise<void> {
  for (const site of sites) {
    const { acknowledgedSequence } = await callers.answered(site.signer, (client) => client.agents.boot({ siteId: site.siteId }));
    site.sequence = acknowledgedSequence;
    site.reporting = Promise.resolve();
  }
}

/** What each site counts, and what the search shows of it, is what is held and lies there. */
async function checkCounts({ callers, courier, sites, lives }: CheckInput): Promise<void> {
  const siteIds = sites.map(({ siteId }) => siteId);
  const { availabilities } = await callers.answered(courier, (client) => client.directory.getAvailability({ siteIds }));
  const open = lives.filter(isOpen);
  for (const { siteId, sizeClasses } of availabilities) {
    const here = open.filter((life) => life.siteId === siteId).map(stateOf);
    const held = here.filter((state) => heldStates.has(state)).length;
    const occupied = here.filter((state) => occupiedStates.has(state)).length;
    const counts = sizeClasses[0];
    expect({ siteId, held: counts?.held, occupied: counts?.occupied, free: counts?.freeToPromise }).toEqual({
      siteId,
      held,
      occupied,
      free: (counts?.installed ?? 0) - held - occupied,
    });
  }
  const request = {
    origin: { latitude: 1.3, longitude: 103.8 },
    parcel: { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 },
    limit: 20,
  };
  const { options } = await callers.answered(courier, (client) => client.directory.findNearest(request));
  const offered = options.map(({ site }) => site?.siteId).sort();
  const haveRoom = availabilities.filter(({ sizeClasses }) => (sizeClasses[0]?.freeToPromise ?? 0) > 0).map(({ siteId }) => siteId);
  expect(offered, "the sites that the search offers").toEqual(haveRoom.sort());
}

/** Every listener hears every event of the log, and none twice. */
async function checkListeners({ listeners }: CheckInput, ids: readonly string[]): Promise<void> {
  for (const { heard } of listeners) {
    await expect.poll(() => missing(ids, heard), { interval: 5 }).toEqual([]);
    expect(new Set(heard).size, "events that a listener heard twice").toBe(heard.length);
  }
}

function missing(ids: readonly string[], heard: readonly string[]): string[] {
  const known = new Set(heard);
  return ids.filter((id) => !known.has(id)).slice(0, 5);
}

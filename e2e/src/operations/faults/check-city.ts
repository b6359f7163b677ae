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
import { type AnsweredStep, heldStates, isOpen, type Life, occupiedStates, stateOf, steps } from "./lives.ts";

/** The subject of a check. */
export interface CheckInput {
  callers: Callers;
  courier: RequestSigner;
  sites: readonly CitySite[];
  gateways: readonly GatewayProcess[];
  lives: Life[];
  /** The lives in which something was done since the last check. */
  touched: readonly Life[];
  listeners: readonly Listener[];
  /** Steps that were answered at or after this time may be lost, in ms since 1970; undefined: none may. */
  lostAfterMs: number | undefined;
}

/** The number of things that a check compared. */
export interface Checked {
  /** Reservations that were compared, and the steps in their chains. */
  reservations: number;
  transitions: number;
  /** Signed receipts in these chains, each verified. */
  receipts: number;
  /** Events in the feed. */
  events: number;
  /** Sites whose counts were compared. */
  sites: number;
  /** Answered steps that are lost. */
  lost: number;
}

/** The state after each event. */
const stateByEvent = new Map<EventType, ReservationState>(Object.values(steps).map(({ event, state }) => [event, state]));

/**
 * Compares the clients' records with the gateway's while no client works: each answered step is in its reservation's chain once and in
 * order, the feed has each event once, each listener has received each event once, and every site's counts match its held and deposited
 * reservations.
 */
export async function checkCity(input: CheckInput): Promise<Checked> {
  const { callers, courier, lives, touched, lostAfterMs } = input;
  const events = await allEvents(callers, courier);
  const ids = events.map(({ eventId }) => eventId);
  expect(new Set(ids).size, "events twice in the feed").toBe(ids.length);
  const chains = Map.groupBy(events, ({ reservationId }) => reservationId);

  if (lostAfterMs !== undefined) adoptUnknown(lives, chains);
  let lost = 0;
  let transitions = 0;
  let receipts = 0;
  const issuerKeys = await publishedKeys(input);
  const checked = lostAfterMs === undefined ? touched : lives.filter((life) => touched.includes(life) || mayBeLost(life, lostAfterMs));
  for (const life of checked) {
    const whole = await chainOf(callers, courier, life);
    const { reservation, events: chain } = whole;
    if (reservation !== undefined) {
      const { faults, statement } = await verifyChain(whole, { issuerKeys });
      expect(faults, `the receipts of ${life.reservationId}`).toEqual([]);
      expect(statement?.events, `the statement of ${life.reservationId}`).toBe(whole.events.length);
      receipts += whole.receipts.length;
    }
    expect(
      chain.map(({ eventId }) => eventId),
      `the chain of ${life.reservationId} and the feed`,
    ).toEqual((chains.get(life.reservationId) ?? []).map(({ eventId }) => eventId));
    expect(
      chain.map(({ reservationRevision }) => reservationRevision),
      `revisions of ${life.reservationId}`,
    ).toEqual(chain.map((_, index) => index + 1));
    if (lostAfterMs !== undefined) lost += adoptStored(life, chain, lostAfterMs);
    expect({ id: life.reservationId, chain: chain.map(({ type }) => type), state: reservation?.state }).toEqual({
      id: life.reservationId,
      chain: life.answered.map(({ event }) => event),
      state: stateOf(life),
    });
    transitions += chain.length;
  }
  if (lostAfterMs !== undefined) {
    lives.splice(0, lives.length, ...lives.filter(({ answered }) => answered.length > 0));
    await bootAgents(input);
  }
  expect(events.length, "events in the feed").toBe(lives.reduce((sum, { answered }) => sum + answered.length, 0));
  await checkCounts(input);
  // Numbers of lost events are assigned again, so a listener that received those has to start again.
  if (lostAfterMs === undefined) await checkListeners(input, ids);
  return { reservations: checked.length, transitions, receipts, events: events.length, sites: input.sites.length, lost };
}

function mayBeLost({ answered }: Life, lostAfterMs: number): boolean {
  return answered.some(({ answeredMs }) => answeredMs >= lostAfterMs);
}

/** Adds reservations that were made for a client that got no response. */
function adoptUnknown(lives: Life[], chains: Map<string, Event[]>): void {
  const known = new Set(lives.map(({ reservationId }) => reservationId));
  for (const [reservationId, [first]] of chains) {
    if (known.has(reservationId) || first === undefined) continue;
    lives.push({ reservationId, siteId: first.siteId, answered: [{ ...steps.reserve, answeredMs: Number.POSITIVE_INFINITY }] });
  }
}

/**
 * Expects the stored chain to be a prefix of the client's record, apart from steps that may be lost or were not answered. Returns how many
 * answered steps are lost.
 */
function adoptStored(life: Life, chain: readonly Event[], lostAfterMs: number): number {
  const possible: AnsweredStep[] = [
    ...life.answered,
    ...(life.pending === undefined ? [] : [{ ...life.pending, answeredMs: Number.POSITIVE_INFINITY }]),
  ];
  const stored = possible.slice(0, chain.length);
  expect({ id: life.reservationId, stored: chain.map(({ type }) => type) }, "a prefix of the client's record").toEqual({
    id: life.reservationId,
    stored: stored.map(({ event }) => event),
  });
  const gone = life.answered.slice(chain.length);
  expect(
    gone.filter(({ answeredMs }) => answeredMs < lostAfterMs),
    `steps of ${life.reservationId} that must not be lost`,
  ).toEqual([]);
  life.answered = stored.map((answered) => ({ ...answered, state: stateByEvent.get(answered.event) as ReservationState }));
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

/** The issuer's keys as published by a gateway, to verify chains. */
async function publishedKeys({ gateways }: CheckInput): Promise<IssuerKeyPeriod[]> {
  const answer = await fetch(`http://127.0.0.1:${gateways[0]?.port}/.well-known/petak/issuer-keys.json`);
  return await readIssuerKeySet(await answer.json());
}

/** All events of the courier, in the order of its feed. */
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

/** Agents continue from the sequence number that the gateway has acknowledged. */
async function bootAgents({ callers, sites }: CheckInput): Promise<void> {
  for (const site of sites) {
    const { acknowledgedSequence } = await callers.answered(site.signer, (client) => client.agents.boot({ siteId: site.siteId }));
    site.sequence = acknowledgedSequence;
    site.reporting = Promise.resolve();
  }
}

/** Expects each site's counts, and the sites that the search offers, to match the held and deposited reservations. */
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

/** Expects every listener to receive every event of the feed once. */
async function checkListeners({ listeners }: CheckInput, ids: readonly string[]): Promise<void> {
  for (const { received } of listeners) {
    await expect.poll(() => missing(ids, received), { interval: 5 }).toEqual([]);
    expect(new Set(received).size, "events that a listener received twice").toBe(received.length);
  }
}

function missing(ids: readonly string[], received: readonly string[]): string[] {
  const known = new Set(received);
  return ids.filter((id) => !known.has(id)).slice(0, 5);
}

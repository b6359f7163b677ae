import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { AgentLogger, Credential, TestClockFollower } from "@petak/agent";
import { type InstalledTerminal, installTerminal, newHolder, type OpenDoor } from "@petak/agent/simulation";
import { createPetakClient, type KeyFile, type PetakClient, type TlsOptions } from "@petak/client/node";
import {
  Act,
  HoldKind,
  type IssueCredentialResponse,
  IssueCredentialResponseSchema,
  type NearestPlaceSchema,
  type ParcelSchema,
  type Reservation,
  type Site,
  SiteKind,
} from "@petak/protocol";
import { orAborted } from "../abort.ts";
import { CliFailure } from "../failure.ts";
import { carryOffline } from "./carry-offline.ts";
import { giveBack } from "./give-back.ts";
import type { JourneyAct, ShownAs, Step } from "./step.ts";

export interface JourneyOptions {
  url: string;
  /** How a terminal in this process connects to it over TLS. */
  tls: (() => TlsOptions) | undefined;
  /** The same for a program of its own, as options of the command line. */
  tlsFlags: readonly string[];
  courier: PetakClient;
  /** Client and key of a site's operator, by participant id. Throws if they are not available. */
  operatorOf: (operatorId: string) => Promise<{ client: PetakClient; keyFile: KeyFile }>;
  origin: { latitude: number; longitude: number };
  parcel: MessageInitShape<typeof ParcelSchema>;
  /** True: the recipient enters the PIN instead of the token. */
  withPin: boolean;
  /** True: nobody collects, and the depositor takes the parcel back. */
  isRecalled: boolean;
  /** True: while the parcel is inside, the operator's technician opens its door. */
  withService: boolean;
  /** Number of parcels, collected in one visit. 1: no bundle. */
  parcels: number;
  /** True: hard holds of named compartments. */
  isHard: boolean;
  /** The kind of site that it leads to. At a store an enrolled device serves a counter from a process of its own. One parcel, which is collected. */
  site: "terminal" | "store";
  /** True: an enrolled device whose program runs in a process of its own, and whose link is cut from before the deposit until after the collection. One parcel. */
  isOffline: boolean;
  /** The time of tablets, in ms since 1970. */
  now: () => number;
  logger: AgentLogger;
  /** The gateway's test clock, which the terminal follows. Default: the terminal's clock is that of this machine. */
  testClock: TestClockFollower | undefined;
  onStep: (step: Step) => void;
  /** Receives sentences about the clean-up of an unfinished journey. */
  note: (sentence: string) => void;
  /** Aborts the journey. */
  signal: AbortSignal;
}

const kinds = { terminal: SiteKind.PARCEL_TERMINAL, store: SiteKind.COLLECTION_POINT } as const;

/**
 * Takes parcels through a gateway, from the search to the collection in one visit, or to the recall. A real agent verifies the credentials and opens the doors. A
 * journey that fails or is interrupted cancels its reservations and removes its terminal.
 */
export async function walkJourney(options: JourneyOptions): Promise<void> {
  const { url, courier, onStep, origin, parcel, note, signal } = options;
  try {
    const place: MessageInitShape<typeof NearestPlaceSchema> = { origin, kinds: [kinds[options.site]] };
    const { options: found } = await courier.directory.findNearest({ ...place, parcel, limit: 5 }, { signal });
    onStep({ step: "options found", options: found });
    if (found.length === 0) throw new CliFailure(`No ${options.site} fits the parcel and has a place free.`, { reason: "no-option" });
    signal.throwIfAborted();

    const held: Reservation[] = [];
    try {
      while (held.length < options.parcels) {
        signal.throwIfAborted();
        const siteId = held[0]?.siteId;
        // Not cancellable: without the response the reservation could not be cancelled.
        const answer = await courier.reservations.reserve({
          requestId: randomUUID(),
          place: siteId === undefined ? { case: "nearest", value: place } : { case: "siteId", value: siteId },
          parcel,
          holdKind: options.isHard ? HoldKind.HARD : HoldKind.SOFT,
          partnerReference: `journey-${randomUUID().slice(0, 8)}`,
        });
        held.push(required(answer.reservation));
        onStep({ step: "place held", reservation: required(answer.reservation), site: answer.site, distanceM: answer.distanceM });
      }
      await carry(options, held);
    } catch (error) {
      for (const { reservationId } of held) await giveBack({ url, courier, reservationId, note });
      throw error;
    }
  } catch (error) {
    if (signal.aborted) throw new CliFailure("Interrupted.", { reason: "interrupted", cause: error });
    throw error;
  }
}

/** The journey from the held places to the collection or the recall. */
async function carry(options: JourneyOptions, held: readonly Reservation[]): Promise<void> {
  const { courier, onStep, signal } = options;
  const { siteId, operatorId } = required(held[0]);
  const reservationIds = held.map(({ reservationId }) => reservationId);
  const operator = await options.operatorOf(operatorId);
  const { site } = await operator.client.directory.getSite({ siteId }, { signal });

  const deposits: string[] = [];
  for (const reservationId of reservationIds) {
    const { reservation: confirmed } = await courier.reservations.confirm({ requestId: randomUUID(), reservationId }, { signal });
    onStep({ step: "confirmed", reservation: required(confirmed) });
    const request = { requestId: randomUUID(), reservationId, act: Act.DEPOSIT };
    const deposit = await courier.reservations.issueCredential(request, { signal });
    onStep({ step: "credential issued", act: "deposit", credential: deposit });
    deposits.push(deposit.accessToken);
  }
  const collect = await issueCollect(options, reservationIds);
  onStep({ step: "credential issued", act: "collect", credential: collect });

  if (options.isOffline || options.site === "store") {
    const collectBy = options.withPin
      ? { by: "PIN" as const, code: collect.pin }
      : { by: "access token" as const, code: collect.accessToken };
    const parcel = { siteId, reservationId: required(reservationIds[0]), depositToken: required(deposits[0]), collectBy };
    const carryBy = options.site === "store" ? (await import("./carry-at-store.ts")).carryAtStore : carryOffline;
    await carryBy({ ...options, ...parcel, operator: operator.client });
  } else {
    await carryThrough(options, { operator, site: required(site), reservationIds, deposits, collect });
  }
  for (const reservationId of reservationIds) {
    const { reservation, events } = await courier.custody.getCustodyChain({ reservationId }, { signal });
    onStep({ step: "custody chain", reservation: required(reservation), events });
  }
}

/** What there is when the credentials have been issued. */
interface ThingsToCarry {
  operator: { client: PetakClient; keyFile: KeyFile };
  site: Site;
  reservationIds: readonly string[];
  deposits: readonly string[];
  collect: IssueCredentialResponse;
}

/** The visits at a terminal in this process, from the deposits to the collection or the recall. */
async function carryThrough(options: JourneyOptions, things: ThingsToCarry): Promise<void> {
  const { url, tls, courier, onStep, logger, signal } = options;
  const { operator, site, reservationIds, deposits, collect } = things;
  const terminal = await installTerminal({
    url,
    operator: operator.client,
    operatorKey: operator.keyFile,
    site,
    logger,
    connect: (signer) => createPetakClient({ baseUrl: url, tls, signer }),
    ...(options.testClock && { testClock: options.testClock }),
  });
  try {
    await orAborted(terminal.start(), signal);
    onStep({ step: "terminal ready", siteId: site.siteId, compartments: terminal.cabinet.compartments().length });
    const common = { onStep, signal };
    for (const [index, token] of deposits.entries()) {
      await visit(terminal, { ...common, act: "deposit", by: "access token", credential: { token } });
      onStep({ step: "deposited", reservation: await read(courier, reservationIds[index] ?? "") });
    }
    await orAborted(terminal.agent.syncNow(), signal);
    for (const reservationId of reservationIds) {
      if (options.withService) await openForService(options, terminal, operator.client, reservationId);
      if (options.isRecalled) await takeBack(options, terminal, reservationId);
    }
    if (!options.isRecalled) {
      await visit(
        terminal,
        options.withPin
          ? { ...common, act: "collect", by: "PIN", credential: { pin: collect.pin } }
          : { ...common, act: "collect", by: "access token", credential: { token: collect.accessToken } },
      );
      for (const reservationId of reservationIds) onStep({ step: "collected", reservation: await read(courier, reservationId) });
    }
  } finally {
    await terminal.remove();
  }
}

/** The operator's technician opens the door and leaves the parcel inside. */
async function openForService(
  { courier, onStep, signal }: JourneyOptions,
  terminal: InstalledTerminal,
  operator: PetakClient,
  reservationId: string,
): Promise<void> {
  const technician = await newHolder();
  const { siteId, compartmentId } = await read(courier, reservationId);
  const asked = { siteId, compartmentId, act: Act.SERVICE, holderPublicKey: technician.publicKey };
  const credential = await operator.reservations.issueCredential({ requestId: randomUUID(), ...asked }, { signal });
  onStep({ step: "credential issued", act: "service", credential });
  const shown = await technician.show(terminal, credential.accessToken);
  await visit(terminal, { act: "service", by: "access token and proof of presence", credential: shown, onStep, signal });
  onStep({ step: "closed after service", reservation: await read(courier, reservationId) });
}

/** The depositor takes the parcel back. */
async function takeBack({ courier, onStep, signal }: JourneyOptions, terminal: InstalledTerminal, reservationId: string): Promise<void> {
  const driver = await newHolder();
  const asked = { reservationId, act: Act.RECALL, holderPublicKey: driver.publicKey };
  const credential = await courier.reservations.issueCredential({ requestId: randomUUID(), ...asked }, { signal });
  onStep({ step: "credential issued", act: "recall", credential });
  const shown = await driver.show(terminal, credential.accessToken);
  await visit(terminal, { act: "recall", by: "access token and proof of presence", credential: shown, onStep, signal });
  onStep({ step: "recalled", reservation: await read(courier, reservationId) });
}

/** Issues the recipient's credential: the reservation's for one parcel, the bundle's for several. */
async function issueCollect({ courier, onStep, signal }: JourneyOptions, reservationIds: string[]): Promise<IssueCredentialResponse> {
  const [reservationId = "", ...others] = reservationIds;
  if (others.length === 0) {
    const request = { requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin: true };
    return await courier.reservations.issueCredential(request, { signal });
  }
  const put = await courier.reservations.putBundle({ requestId: randomUUID(), reservationIds }, { signal });
  const bundle = required(put.bundle);
  onStep({ step: "bundled", bundle });
  const request = { requestId: randomUUID(), bundleId: bundle.bundleId, withPin: true };
  const { $typeName: _typeName, ...credential } = await courier.reservations.issueBundleCredential(request, { signal });
  return create(IssueCredentialResponseSchema, credential);
}

interface Visit {
  act: JourneyAct;
  by: ShownAs;
  credential: Credential;
  onStep: (step: Step) => void;
  signal: AbortSignal;
}

/** A person presents a credential and uses each door that opens, until the gateway has acknowledged the reports. */
async function visit(terminal: InstalledTerminal, { act, by, credential, onStep, signal }: Visit): Promise<void> {
  signal.throwIfAborted();
  const presentation = await terminal.agent.present(credential);
  if (!presentation.opened) throw new CliFailure(`The terminal refused the ${by} (${presentation.refusal}).`, { reason: "door-refused" });
  for (let door: OpenDoor = presentation; ; ) {
    onStep({ step: "door opened", act, by, presentation: door });
    terminal.useDoor(door);
    await orAborted(terminal.agent.flushed(), signal);
    if (door.doorsToCome === 0) return;
    const next = terminal.nextDoor(door);
    if (next === undefined) throw new CliFailure("The next door of the bundle did not open.", { reason: "door-refused" });
    door = next;
  }
}

async function read(courier: PetakClient, reservationId: string): Promise<Reservation> {
  return required((await courier.reservations.getReservation({ reservationId })).reservation);
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new CliFailure("The gateway's response is incomplete.", { reason: "bad-answer" });
  return value;
}

import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AgentLogger, Credential, Presentation } from "@petak/agent";
import type { KeyFile, PetakClient } from "@petak/client";
import { Act, HoldKind, type NearestPlaceSchema, type ParcelSchema, type Reservation, SiteKind } from "@petak/protocol";
import { CliFailure } from "../failure.ts";
import { giveBack } from "./give-back.ts";
import { newHolder } from "./holder.ts";
import { orAborted } from "./or-aborted.ts";
import type { JourneyAct, ShownAs, Step } from "./step.ts";
import { openTerminal, type SoftwareTerminal } from "./terminal.ts";

/** One parcel's way, and who takes part. */
export interface JourneyOptions {
  url: string;
  courier: PetakClient;
  /** The client and key of a site's operator, by participant id. Throws where they are not at hand. */
  operatorOf: (operatorId: string) => Promise<{ client: PetakClient; keyFile: KeyFile }>;
  origin: { latitude: number; longitude: number };
  parcel: MessageInitShape<typeof ParcelSchema>;
  /** True: the recipient types the PIN in place of showing the token. */
  withPin: boolean;
  /** True: nobody comes to collect, and whoever deposited takes the parcel back. */
  isRecalled: boolean;
  /** True: while the parcel lies there, the operator's technician opens its door. */
  withService: boolean;
  /** True: the hold is of a door by its name. */
  isHard: boolean;
  logger: AgentLogger;
  onStep: (step: Step) => void;
  /** Takes sentences about what a journey that does not end gives back. */
  note: (sentence: string) => void;
  /** Ends the journey early. */
  signal: AbortSignal;
}

/**
 * Walks one parcel through a gateway, from the search to the collection, or back again. Every door is opened by an agent that judged the credential. A
 * journey that fails or is interrupted gives back its place and takes its terminal away.
 */
export async function walkJourney(options: JourneyOptions): Promise<void> {
  const { url, courier, onStep, origin, parcel, note, signal } = options;
  try {
    const place: MessageInitShape<typeof NearestPlaceSchema> = { origin, kinds: [SiteKind.PARCEL_TERMINAL] };
    const { options: found } = await courier.directory.findNearest({ ...place, parcel, limit: 5 }, { signal });
    onStep({ step: "options found", options: found });
    if (found.length === 0) throw new CliFailure("No terminal fits the parcel and has a place free.", { reason: "no-option" });
    signal.throwIfAborted();

    // Not to be cut short: without the answer nobody could give the place back.
    const held = await courier.reservations.reserve({
      requestId: randomUUID(),
      place: { case: "nearest", value: place },
      parcel,
      holdKind: options.isHard ? HoldKind.HARD : HoldKind.SOFT,
      partnerReference: `journey-${randomUUID().slice(0, 8)}`,
    });
    const { reservationId } = required(held.reservation);
    try {
      onStep({ step: "place held", reservation: required(held.reservation), site: held.site, distanceM: held.distanceM });
      await carry(options, required(held.reservation));
    } catch (error) {
      await giveBack({ url, courier, reservationId, note });
      throw error;
    }
  } catch (error) {
    if (signal.aborted) throw new CliFailure("Interrupted.", { reason: "interrupted", cause: error });
    throw error;
  }
}

/** From the held place to the collection or the recall. */
async function carry(options: JourneyOptions, { reservationId, siteId, operatorId }: Reservation): Promise<void> {
  const { url, courier, onStep, logger, signal } = options;
  const operator = await options.operatorOf(operatorId);
  const { site } = await operator.client.directory.getSite({ siteId }, { signal });

  const { reservation: confirmed } = await courier.reservations.confirm({ requestId: randomUUID(), reservationId }, { signal });
  onStep({ step: "confirmed", reservation: required(confirmed) });
  const issue = (act: Act, withPin: boolean) =>
    courier.reservations.issueCredential({ requestId: randomUUID(), reservationId, act, withPin }, { signal });
  const deposit = await issue(Act.DEPOSIT, false);
  onStep({ step: "credential issued", act: "deposit", credential: deposit });
  const collect = await issue(Act.COLLECT, true);
  onStep({ step: "credential issued", act: "collect", credential: collect });

  const terminal = await openTerminal({
    url,
    operator: operator.client,
    operatorKey: operator.keyFile,
    site: required(site),
    logger,
    signal,
  });
  try {
    onStep({ step: "terminal ready", siteId, compartments: terminal.cabinet.compartments().length });
    const common = { onStep, signal };
    await visit(terminal, { ...common, act: "deposit", by: "access token", credential: { token: deposit.accessToken } });
    onStep({ step: "deposited", reservation: await read(courier, reservationId) });
    await orAborted(terminal.agent.syncNow(), signal);
    if (options.withService) await lookAfter(options, terminal, operator.client, reservationId);
    if (options.isRecalled) await takeBack(options, terminal, reservationId);
    else {
      await visit(
        terminal,
        options.withPin
          ? { ...common, act: "collect", by: "PIN", credential: { pin: collect.pin } }
          : { ...common, act: "collect", by: "access token", credential: { token: collect.accessToken } },
      );
      onStep({ step: "collected", reservation: await read(courier, reservationId) });
    }
  } finally {
    await terminal.close();
  }
  const { reservation, events } = await courier.custody.getCustodyChain({ reservationId }, { signal });
  onStep({ step: "custody chain", reservation: required(reservation), events });
}

/** The operator's technician opens the door, and leaves the parcel where it is. */
async function lookAfter(
  { courier, onStep, signal }: JourneyOptions,
  terminal: SoftwareTerminal,
  operator: PetakClient,
  reservationId: string,
): Promise<void> {
  const technician = await newHolder();
  const { siteId, compartmentId } = await read(courier, reservationId);
  const asked = { siteId, compartmentId, act: Act.SERVICE, holderPublicKey: technician.publicKey };
  const credential = await operator.reservations.issueCredential({ requestId: randomUUID(), ...asked }, { signal });
  onStep({ step: "credential issued", act: "service", credential });
  const shown = await technician.prove(terminal.agent, credential.accessToken);
  await visit(terminal, { act: "service", by: "access token and proof of presence", credential: shown, onStep, signal });
  onStep({ step: "closed after work", reservation: await read(courier, reservationId) });
}

/** Whoever deposited takes the parcel back. */
async function takeBack({ courier, onStep, signal }: JourneyOptions, terminal: SoftwareTerminal, reservationId: string): Promise<void> {
  const driver = await newHolder();
  const asked = { reservationId, act: Act.RECALL, holderPublicKey: driver.publicKey };
  const credential = await courier.reservations.issueCredential({ requestId: randomUUID(), ...asked }, { signal });
  onStep({ step: "credential issued", act: "recall", credential });
  const shown = await driver.prove(terminal.agent, credential.accessToken);
  await visit(terminal, { act: "recall", by: "access token and proof of presence", credential: shown, onStep, signal });
  onStep({ step: "recalled", reservation: await read(courier, reservationId) });
}

interface Visit {
  act: JourneyAct;
  by: ShownAs;
  credential: Credential;
  onStep: (step: Step) => void;
  signal: AbortSignal;
}

/** What a person does at the terminal, until the gateway has the report. */
async function visit({ agent, cabinet }: SoftwareTerminal, { act, by, credential, onStep, signal }: Visit): Promise<void> {
  signal.throwIfAborted();
  const presentation: Presentation = await agent.present(credential);
  if (!presentation.opened) throw new CliFailure(`The terminal refused the ${by} (${presentation.refusal}).`, { reason: "door-refused" });
  onStep({ step: "door opened", act, by, presentation });
  if (act === "deposit") cabinet.putIn(presentation.compartmentId);
  else if (act !== "service") cabinet.takeOut(presentation.compartmentId);
  cabinet.closeDoor(presentation.compartmentId);
  await orAborted(agent.flushed(), signal);
}

async function read(courier: PetakClient, reservationId: string): Promise<Reservation> {
  return required((await courier.reservations.getReservation({ reservationId })).reservation);
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new CliFailure("The gateway left out what its answer must have.", { reason: "bad-answer" });
  return value;
}

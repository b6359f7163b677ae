import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AgentLogger, Presentation } from "@petak/agent";
import type { KeyFile, PetakClient } from "@petak/client";
import { Act, type NearestPlaceSchema, type ParcelSchema, type Reservation, SiteKind } from "@petak/protocol";
import { CliFailure } from "../failure.ts";
import type { Step } from "./step.ts";
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
  logger: AgentLogger;
  onStep: (step: Step) => void;
}

/** Walks one parcel through a gateway, from the search to the collection. Every door is opened by an agent that judged the credential. */
export async function walkJourney(options: JourneyOptions): Promise<void> {
  const { courier, onStep, origin, parcel } = options;
  const place: MessageInitShape<typeof NearestPlaceSchema> = { origin, kinds: [SiteKind.PARCEL_TERMINAL] };
  const { options: found } = await courier.directory.findNearest({ ...place, parcel, limit: 5 });
  onStep({ step: "options found", options: found });
  if (found.length === 0) throw new CliFailure("No terminal fits the parcel and has a place free.", { reason: "no-option" });

  const held = await courier.reservations.reserve({
    requestId: randomUUID(),
    place: { case: "nearest", value: place },
    parcel,
    partnerReference: `journey-${randomUUID().slice(0, 8)}`,
  });
  const { reservationId, siteId, operatorId } = required(held.reservation);
  onStep({ step: "place held", reservation: required(held.reservation), site: held.site, distanceM: held.distanceM });
  const operator = await options.operatorOf(operatorId);
  const { site } = await operator.client.directory.getSite({ siteId });

  const { reservation: confirmed } = await courier.reservations.confirm({ requestId: randomUUID(), reservationId });
  onStep({ step: "confirmed", reservation: required(confirmed) });
  const deposit = await courier.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
  onStep({ step: "credential issued", act: "deposit", credential: deposit });
  const collect = await courier.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin: true });
  onStep({ step: "credential issued", act: "collect", credential: collect });

  const terminal = await openTerminal({
    url: options.url,
    operator: operator.client,
    operatorKey: operator.keyFile,
    site: required(site),
    logger: options.logger,
  });
  try {
    onStep({ step: "terminal ready", siteId, compartments: terminal.cabinet.compartments().length });
    await visit(terminal, { act: "deposit", by: "access token", credential: { token: deposit.accessToken }, onStep });
    onStep({ step: "deposited", reservation: await read(courier, reservationId) });
    await terminal.agent.syncNow();
    await visit(
      terminal,
      options.withPin
        ? { act: "collect", by: "PIN", credential: { pin: collect.pin }, onStep }
        : { act: "collect", by: "access token", credential: { token: collect.accessToken }, onStep },
    );
    onStep({ step: "collected", reservation: await read(courier, reservationId) });
  } finally {
    await terminal.close();
  }
  const { reservation, events } = await courier.custody.getCustodyChain({ reservationId });
  onStep({ step: "custody chain", reservation: required(reservation), events });
}

interface Visit {
  act: "deposit" | "collect";
  by: "access token" | "PIN";
  credential: { token: string } | { pin: string };
  onStep: (step: Step) => void;
}

/** What a person does at the terminal, until the gateway has the report. */
async function visit({ agent, cabinet }: SoftwareTerminal, { act, by, credential, onStep }: Visit): Promise<void> {
  const presentation: Presentation = await agent.present(credential);
  if (!presentation.opened) throw new CliFailure(`The terminal refused the ${by} (${presentation.refusal}).`, { reason: "door-refused" });
  onStep({ step: "door opened", act, by, presentation });
  if (act === "deposit") cabinet.putIn(presentation.compartmentId);
  else cabinet.takeOut(presentation.compartmentId);
  cabinet.closeDoor(presentation.compartmentId);
  await agent.flushed();
}

async function read(courier: PetakClient, reservationId: string): Promise<Reservation> {
  return required((await courier.reservations.getReservation({ reservationId })).reservation);
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new CliFailure("The gateway left out what its answer must have.", { reason: "bad-answer" });
  return value;
}

import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { enrolDevice } from "@petak/agent/device";
import type { PetakClient, TlsOptions } from "@petak/client/node";
import { type Reservation, ReservationState } from "@petak/protocol";
import { CliFailure } from "../failure.ts";
import { type AgentProgram, startAgentProgram } from "./agent-program.ts";
import type { Step } from "./step.ts";

/** A parcel's way through a site whose device is enrolled for it. */
export interface WithDeviceOptions {
  url: string;
  tls: (() => TlsOptions) | undefined;
  tlsFlags: readonly string[];
  courier: PetakClient;
  operator: PetakClient;
  siteId: string;
  reservationId: string;
  onStep: (step: Step) => void;
  /** Receives a sentence if something cannot be cleaned up. */
  note: (sentence: string) => void;
  signal: AbortSignal;
}

/** How long the gateway may take to hear of the collection once the link is back, in ms, and how often it is asked meanwhile. */
const deliveryMs = 60_000;
const askEveryMs = 200;

/**
 * Enrols a device by a code, in a folder of its own, runs its program in another process, and removes both at the end.
 *
 * @param doors options of the program
 * @param prepare what is done in its folder before the program starts
 */
export async function withDevice(
  options: WithDeviceOptions & { doors: readonly string[]; prepare?: (dataDir: string) => Promise<void> },
  use: (program: AgentProgram) => Promise<void>,
): Promise<void> {
  const { url, tls, tlsFlags, operator, siteId, onStep, note, signal, doors, prepare } = options;
  const dataDir = await mkdtemp(join(tmpdir(), "petak-device-"));
  let keyId: string | undefined;
  try {
    const { code } = await operator.participants.createEnrolmentCode({ requestId: randomUUID(), siteId, label: "journey" });
    const { key } = await enrolDevice({ dataDir, code, url, tls });
    keyId = key.key_id;
    onStep({ step: "device enrolled", siteId, keyId });
    await prepare?.(dataDir);
    signal.throwIfAborted();
    const program = startAgentProgram(dataDir, [...doors, ...tlsFlags], signal);
    try {
      await use(program);
    } finally {
      await program.stop();
    }
  } finally {
    if (keyId !== undefined) {
      await operator.participants.revokeKey({ requestId: randomUUID(), keyId }).catch((error: Error) => {
        note(`The device's key ${keyId} could not be revoked: ${error.message}`);
      });
    }
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Cuts the link of a device's program. */
export async function cutLink(program: AgentProgram, onStep: (step: Step) => void): Promise<void> {
  program.type("link cut");
  while ((await program.until("link")).state !== "cut");
  onStep({ step: "link cut" });
}

/** Shows that the gateway has not heard of anything, restores the link, and waits until it has. */
export async function restoreLink(program: AgentProgram, options: WithDeviceOptions): Promise<void> {
  const { courier, reservationId, onStep } = options;
  onStep({ step: "not heard of", reservation: await read(courier, reservationId) });
  program.type("link restore");
  while ((await program.until("link")).state !== "online");
  const reservation = await untilCollected(options);
  onStep({ step: "link restored" });
  onStep({ step: "collected", reservation });
}

/** Waits until the gateway knows that a parcel was collected. */
export async function untilCollected({ courier, reservationId, signal }: WithDeviceOptions): Promise<Reservation> {
  const untilMs = performance.now() + deliveryMs;
  for (;;) {
    const reservation = await read(courier, reservationId);
    if (reservation.state === ReservationState.COLLECTED) return reservation;
    if (performance.now() > untilMs) {
      throw new CliFailure(`The gateway has not heard of the collection within ${deliveryMs / 1000} s.`, { reason: "not-delivered" });
    }
    await setTimeout(askEveryMs, undefined, { signal });
  }
}

async function read(courier: PetakClient, reservationId: string): Promise<Reservation> {
  const { reservation } = await courier.reservations.getReservation({ reservationId });
  if (reservation === undefined) throw new CliFailure("The gateway's response is incomplete.", { reason: "bad-answer" });
  return reservation;
}

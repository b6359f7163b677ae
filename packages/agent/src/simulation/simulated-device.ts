import { readFileSync, writeFileSync } from "node:fs";
import { Act, type Site } from "@petak/protocol";
import type { DoorState, Occupancy } from "../cabinet/cabinet.ts";
import { compartmentsOf } from "../cabinet/compartments-of.ts";
import type { Condition } from "../decision/snapshot.ts";
import { connectDevice, type DeviceOptions } from "../device/connect-device.ts";
import type { Device } from "../device/data-directory.ts";
import type { Tell } from "../device/facts.ts";
import type { Link } from "../device/link.ts";
import { type CuttableDevice, linkSetter, presentText } from "../device/running-device.ts";
import { afterByTimer } from "../timer.ts";
import { createSimulatedCabinet } from "./simulated-cabinet.ts";
import { createSimulatedTerminal, type SimulatedTerminal } from "./simulated-terminal.ts";

/** A door as somebody sees it who can look through it. */
export interface DoorView {
  readonly compartmentId: string;
  readonly sizeClassId: string;
  readonly door: DoorState;
  readonly occupancy: Occupancy;
  readonly isJammed: boolean;
  /** The agent's own record. */
  readonly condition: Condition;
  /** The reservation whose parcel is inside, by the agent's record. Empty: none. */
  readonly reservationId: string;
}

/** A device that is enrolled, with a real agent and simulated doors. Whoever is at a door that opens uses it. */
export interface SimulatedDevice extends CuttableDevice {
  doors(): DoorView[];
  /** Cuts the power; the agent starts again with what is on disk. */
  cutPower(): Promise<void>;
  /** Jams a door, or frees it. Throws if there is no such door. */
  setJammed(compartmentId: string, isJammed: boolean): void;
}

/** Options of {@link openSimulatedDevice}. It starts again by command without the program. */
export interface SimulatedDeviceOptions extends Omit<DeviceOptions, "restart"> {
  /** How long somebody uses an open door, in ms. Default 0. */
  handMs?: number;
}

/**
 * Starts the agent of an enrolled device over simulated doors, those of its site. It is ready when it decides: at once if it has booted before, otherwise once it
 * has reached its gateway. The parcels in the cabinet are kept in a file. Rejects with a ConnectError if the gateway refuses a device that has never booted.
 */
export async function openSimulatedDevice(options: SimulatedDeviceOptions): Promise<SimulatedDevice> {
  const { device, tell, handMs = 0, software } = options;
  const { siteId, storePath } = device;
  await using started = new AsyncDisposableStack();
  const { link, logger, bootedSite } = connectDevice(started, options);
  const { site, isKnown } = await bootedSite();
  const kept = occupiedIn(device, site);
  const cabinet = createSimulatedCabinet({ compartments: compartmentsOf(site), occupied: kept ?? [] });
  const keep = () => writeFileSync(device.cabinetPath, JSON.stringify({ occupied: cabinet.contents() }));
  let restartProgram: () => void = () => undefined;
  const terminal = createSimulatedTerminal({
    ...{ siteId, storePath, cabinet, software, client: link.client, logger },
    rootKey: device.rootKey,
    reportKey: { keyId: device.key.key_id, privateJwk: device.key.private_jwk },
    watchesCommands: true,
    onCommand: (fact) => tell({ event: "command", ...fact }),
    restart: () => restartProgram(),
    onAdopted(compartmentIds) {
      // Without a file it is a new cabinet, in which lies what the gateway knows.
      if (kept === undefined) cabinet.fill(compartmentIds);
      keep();
    },
  });
  const hands = createHands(terminal, handMs, tell, keep);
  const ready = () => tell({ event: "ready", siteId, keyId: device.key.key_id, doors: cabinet.compartments().length, simulated: true });
  const starting = terminal.start();
  // It decides offline, whether the gateway answers or not.
  if (isKnown) ready();
  await starting;
  if (!isKnown) ready();
  const connection = started.move();
  const opened = assemble(device, terminal, link, hands, tell, () => connection.disposeAsync());
  restartProgram = opened.restart;
  return opened;
}

function assemble(
  device: Device,
  terminal: SimulatedTerminal,
  link: Link,
  hands: Hands,
  tell: Tell,
  disconnect: () => Promise<void>,
): SimulatedDevice & { restart(): void } {
  const { cabinet } = terminal;
  let isDark = false;
  let seen = look();

  /** What the agent knows. Not while it has no power: then nothing can be read. */
  function look() {
    const { store } = terminal;
    return {
      site: store.site(),
      unsent: store.outbox.lastSequence() - store.outbox.acknowledgedSequence(),
      records: cabinet.compartments().map(({ compartmentId, sizeClassId }) => ({ ...store.compartment(compartmentId), sizeClassId })),
    };
  }

  function known() {
    if (!isDark) seen = look();
    return seen;
  }

  /** Starts the agent again. Nothing can be read meanwhile. */
  async function again(start: () => Promise<boolean>): Promise<void> {
    known();
    isDark = true;
    try {
      await start();
    } finally {
      isDark = false;
    }
  }

  return {
    device,
    restart() {
      if (!isDark)
        again(() => terminal.restart()).catch((error: Error) =>
          tell({ event: "log", level: "error", message: "the agent did not start again", detail: error.message }),
        );
    },
    site: () => known().site,
    doors: () =>
      known().records.map((record) => ({
        ...record,
        door: cabinet.doorState(record.compartmentId),
        occupancy: cabinet.occupancy(record.compartmentId),
        isJammed: cabinet.isJammed(record.compartmentId),
      })),
    link: link.state,
    unsent: () => known().unsent,
    present: (text) => presentText(terminal.agent, text, tell),
    challenge: () => tell({ event: "challenge", ...terminal.agent.challenge() }),
    setLink: linkSetter(link, () => terminal.agent),
    syncNow: () => terminal.agent.syncNow().catch(() => undefined),
    async cutPower() {
      if (isDark) return;
      tell({ event: "power", state: "cut" });
      await again(() => terminal.cutPower());
      tell({ event: "power", state: "back" });
    },
    setJammed(compartmentId, isJammed) {
      cabinet.setJammed(compartmentId, isJammed);
      tell({ event: "jam", compartmentId, jammed: isJammed });
    },
    async stop() {
      hands.stop();
      await terminal.stop();
      await disconnect();
    },
  };
}

/** Whoever is at the doors. */
interface Hands {
  stop(): void;
}

/** Puts a parcel in or takes it out at each door that opens, as its credential says, and closes the door. */
function createHands(terminal: SimulatedTerminal, handMs: number, tell: Tell, save: () => void): Hands {
  const { cabinet } = terminal;
  const waiting = new Map<string, () => void>();

  function use(compartmentId: string, act: Act | undefined): void {
    if (cabinet.doorState(compartmentId) !== "OPEN") return;
    const isInside = cabinet.contents().includes(compartmentId);
    if (act === Act.DEPOSIT && !isInside) cabinet.putIn(compartmentId);
    if ((act === Act.COLLECT || act === Act.RECALL) && isInside) cabinet.takeOut(compartmentId);
    cabinet.closeDoor(compartmentId);
  }

  const stopWatching = cabinet.onChange((compartmentId) => {
    save();
    const door = cabinet.doorState(compartmentId);
    tell({ event: "door", compartmentId, door, occupancy: cabinet.occupancy(compartmentId) });
    if (door !== "OPEN" || waiting.has(compartmentId)) return;
    // The visit is on disk before the lock is pulsed.
    const act = terminal.store.visits().find((visit) => visit.compartmentId === compartmentId)?.act;
    const finish = () => {
      use(compartmentId, act);
      waiting.delete(compartmentId);
    };
    waiting.set(compartmentId, afterByTimer(handMs, finish));
  });
  return {
    stop() {
      stopWatching();
      for (const cancel of waiting.values()) cancel();
    },
  };
}

/** The doors with parcels behind them, of those that the site still has. Undefined: nothing was kept. */
function occupiedIn({ cabinetPath }: Device, site: Site): string[] | undefined {
  let kept: { occupied?: string[] };
  try {
    kept = JSON.parse(readFileSync(cabinetPath, "utf8")) as typeof kept;
  } catch {
    return undefined;
  }
  const known = new Set(compartmentsOf(site).map(({ compartmentId }) => compartmentId));
  return (kept.occupied ?? []).filter((compartmentId) => known.has(compartmentId));
}

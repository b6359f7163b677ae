// @ts-check
/**
 * A cabinet driver to copy from: a lock board that speaks lines of JSON over TCP, as boards behind a serial-to-network adapter do in their own ways. It needs
 * only Node's own modules. Put the protocol of your board in place of these lines:
 *
 *     the board says, for each door when somebody connects, and whenever a sensor changes
 *         {"door":"M-1","state":"closed","parcel":false}      state: open, closed or unknown; parcel: true, false, or null without a sensor
 *     the driver says
 *         {"unlock":"M-1"}
 *     and the board answers when the lock has acted, or when it certainly has not
 *         {"unlocked":"M-1"}
 *         {"failed":"M-1","why":"the bolt is blocked"}
 *
 * Its settings are environment variables: where the board is, and its doors with their size classes, as the site has them:
 *
 *     PETAK_LOCK_BOARD=10.0.0.5:4001 PETAK_COMPARTMENTS=M-1:M,M-2:M,L-1:L petak-agent run --cabinet lock-board.mjs --data-dir …
 */
import { connect } from "node:net";
import { createInterface } from "node:readline";

/** How long until the next attempt when the board is lost, in ms. */
const reconnectMs = 1000;

/** @typedef {{ resolve: () => void, reject: (error: Error) => void }} Waiting */

/** @type {{ compartmentId: string, sizeClassId: string }[]} */
let compartments = [];
/** What the board said of each door. Empty while it is not reached: then every reading is UNKNOWN. @type {Map<string, { state: string, parcel: boolean | null }>} */
const readings = new Map();
/** Who waits for a lock, by door. @type {Map<string, Waiting>} */
const waiting = new Map();
/** @type {Set<(compartmentId: string) => void>} */
const listeners = new Set();
/** @type {import("node:net").Socket | undefined} */
let socket;
/** @type {NodeJS.Timeout | undefined} */
let reconnecting;
let isStopped = false;

/** @param {string} compartmentId */
function changed(compartmentId) {
  for (const listener of listeners) listener(compartmentId);
}

/** @param {string} line */
function take(line) {
  /** @type {{ door?: string, state?: string, parcel?: boolean | null, unlocked?: string, failed?: string, why?: string }} */
  const said = JSON.parse(line);
  if (said.door !== undefined) {
    readings.set(said.door, { state: said.state ?? "unknown", parcel: said.parcel ?? null });
    changed(said.door);
  }
  const door = said.unlocked ?? said.failed ?? "";
  const who = waiting.get(door);
  waiting.delete(door);
  if (said.unlocked !== undefined) who?.resolve();
  else who?.reject(new Error(said.why ?? "the board gave no reason"));
}

/** Connects, and again whenever the connection ends. @param {string} address @param {() => void} onReading @param {(error: Error) => void} onFailure */
function connectTo(address, onReading, onFailure) {
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(address) ?? [];
  const opened = connect({ host, port: Number(port) });
  socket = opened;
  opened.setNoDelay(true);
  const lines = createInterface({ input: opened });
  // It tells the socket's errors again.
  lines.on("error", () => undefined);
  lines.on("line", (line) => {
    try {
      take(line);
    } catch {
      // A line that is no JSON says nothing of any door.
    }
    onReading();
  });
  opened.on("error", onFailure);
  opened.on("close", () => {
    // Whatever was known is not known any more, and nobody can say whether a lock that was asked has acted: the doors read UNKNOWN before the answer.
    const known = [...readings.keys()];
    readings.clear();
    for (const who of waiting.values()) who.reject(new Error("the lock board was lost"));
    waiting.clear();
    known.forEach(changed);
    if (!isStopped) reconnecting = setTimeout(() => connectTo(address, onReading, () => undefined), reconnectMs);
  });
}

/** @type {import("@petak/agent/device").CabinetDriver} */
// biome-ignore lint/style/noDefaultExport: it is what an agent loads.
export default {
  async start() {
    const { PETAK_LOCK_BOARD: address = "", PETAK_COMPARTMENTS: list = "" } = process.env;
    if (!/:\d+$/.test(address)) throw new Error(`PETAK_LOCK_BOARD must be the board's host:port, not "${address}"`);
    compartments = list.split(",").map((text) => {
      const [compartmentId = "", sizeClassId = ""] = text.trim().split(":");
      return { compartmentId, sizeClassId };
    });
    isStopped = false;
    await new Promise((resolve, reject) => {
      const onReading = () => compartments.every(({ compartmentId }) => readings.has(compartmentId)) && resolve(undefined);
      connectTo(address, onReading, (error) => reject(new Error(`no lock board answers at ${address} (${error.message})`)));
    });
  },
  async stop() {
    isStopped = true;
    clearTimeout(reconnecting);
    socket?.destroy();
  },
  compartments: () => compartments,
  async open(compartmentId) {
    if (!readings.has(compartmentId)) throw new Error(`the lock board does not know ${compartmentId}, or is not reached`);
    if (waiting.has(compartmentId)) throw new Error(`the lock of ${compartmentId} is being asked already`);
    await new Promise((resolve, reject) => {
      waiting.set(compartmentId, { resolve: () => resolve(undefined), reject });
      socket?.write(`${JSON.stringify({ unlock: compartmentId })}\n`);
    });
  },
  doorState(compartmentId) {
    const state = readings.get(compartmentId)?.state;
    return state === "open" ? "OPEN" : state === "closed" ? "CLOSED" : "UNKNOWN";
  },
  occupancy(compartmentId) {
    const parcel = readings.get(compartmentId)?.parcel;
    return parcel === true ? "OCCUPIED" : parcel === false ? "EMPTY" : "UNKNOWN";
  },
  onChange(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

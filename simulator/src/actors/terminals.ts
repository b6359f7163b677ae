import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { AgentLogger, AgentOptions, CabinetCompartment } from "@petak/agent";
import { createSimulatedCabinet, type InstalledTerminal, installTerminal } from "@petak/agent/simulation";
import { createPetakClient, type KeyFile, type PetakClient, signerOfKeyFile, type TlsOptions } from "@petak/client/node";
import type { Site } from "@petak/protocol";
import type { Operation } from "../observe/observation.ts";
import { createRandom } from "../random/random.ts";
import { type Caller, timed } from "./calls.ts";
import { drawOutages, type Outages } from "./outages.ts";
import type { Faults } from "./parameters.ts";

/** A terminal, or the counter of a store, and what is wrong with it at the moment. */
export interface Door {
  /** Whether it has no network now. */
  isOffline(): boolean;
  /** One visitor after the other uses the terminal. Undefined if it has no power. */
  use<Result>(visit: (terminal: InstalledTerminal) => Promise<Result>): Promise<Result | undefined>;
}

/** The doors of the city. */
export interface Doors {
  /** Whether the run has a key for a site's operator. */
  has(site: Pick<Site, "operatorId">): boolean;
  /** The door of a site, installed at the first call. Undefined: the run has none. */
  at(site: Site): Promise<Door | undefined>;
  /** A client of a site's operator. Undefined: the run has no key of it. */
  operatorOf(site: Pick<Site, "operatorId">): PetakClient | undefined;
  /** Resolves when what the terminals have asked the gateway is answered. */
  settled(): Promise<void>;
  /** Waits until the gateway has all reports of those that have a network. Returns their sites. */
  flushed(): Promise<string[]>;
  /** Number of terminals. */
  readonly count: number;
  /** Stops all, revokes their keys and removes their files. */
  remove(): Promise<void>;
}

export interface DoorsOptions {
  readonly url: string;
  readonly tls: TlsOptions | undefined;
  readonly operators: ReadonlyMap<string, KeyFile>;
  readonly testClock: AgentOptions["testClock"];
  readonly faults: Faults;
  readonly caller: Caller;
  /** How long a terminal waits for an answer, in ms. Undefined: as long as any client. */
  readonly timeoutMs: number | undefined;
  /** Whether the gateway does not answer any more, so that keys cannot be revoked. */
  readonly isLost: () => boolean;
  /** How many processes share the doors. */
  readonly members: number;
}

interface Installed extends Door {
  remove(): Promise<void>;
}

/** Calls that all terminals together have in progress: a gateway limits those of one participant. */
const callsMax = 24;

/** Those of one process have at least so many. */
const callsMin = 4;

/** How long the reports of a terminal are waited for at the end, in ms. */
const flushMs = 5000;

/** Keys that are revoked at a time. */
const removalsMax = 16;

const silent: AgentLogger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The doors of sites whose operators' keys are known. All terminals share their connections. */
export function createDoors({ url, tls, operators, testClock, faults, caller, timeoutMs, isLost, members }: DoorsOptions): Doors {
  const maxSockets = Math.max(callsMin, Math.floor(callsMax / members));
  const connections = url.startsWith("https:")
    ? new HttpsAgent({ keepAlive: true, maxSockets, ...tls })
    : new HttpAgent({ keepAlive: true, maxSockets });
  const patience = timeoutMs === undefined ? {} : { timeoutMs };
  const clients = new Map<string, PetakClient>();
  const doors = new Map<string, Promise<Installed>>();
  const calls = new Set<Promise<unknown>>();

  function track<Result>(call: Promise<Result>): Promise<Result> {
    calls.add(call);
    const end = () => void calls.delete(call);
    call.then(end, end);
    return call;
  }

  function clientOf(key: KeyFile): PetakClient {
    const known = clients.get(key.participant_id);
    if (known !== undefined) return known;
    const client = createPetakClient({ baseUrl: url, signer: signerOfKeyFile(key), connections, ...patience });
    const revokeKey: PetakClient["participants"]["revokeKey"] = (request, options) =>
      isLost() ? Promise.reject(new Error("the gateway does not answer")) : client.participants.revokeKey(request, options);
    const operator = { ...client, participants: { ...client.participants, revokeKey } };
    clients.set(key.participant_id, operator);
    return operator;
  }

  async function install(site: Site, key: KeyFile): Promise<Installed> {
    const seeds = [faults.seed, site.operatorSiteRef] as const;
    const beganMs = caller.nowMs();
    const network = drawOutages(faults.offlinePerDay, faults.offlineMs, beganMs, "network", ...seeds);
    const power = drawOutages(faults.powerLossPerDay, faults.powerLossMs, beganMs, "power", ...seeds);
    const isCut = () => network.isOut(caller.nowMs()) || power.isOut(caller.nowMs());
    const terminal = await installTerminal({
      url,
      operator: clientOf(key),
      operatorKey: key,
      site,
      logger: silent,
      testClock,
      isDurable: false,
      agent: { refusalMs: 0, software: "petak-simulator", random: createRandom("agent", ...seeds).next },
      connect(signer) {
        const client = createPetakClient({ baseUrl: url, signer, connections, ...patience });
        return { agents: linkOf(client.agents, site.siteId), close: client.close };
      },
      makeCabinet: (compartments) => cabinetOf(compartments, faults, seeds),
    });
    /** The agent's calls, as they pass through its link. */
    function linkOf(agents: PetakClient["agents"], siteId: string): AgentOptions["client"] {
      const call =
        <Args extends unknown[], Result>(operation: Operation, method: (...args: Args) => Promise<Result>) =>
        (...args: Args): Promise<Result> => {
          if (isCut()) return Promise.reject(new ConnectError("the terminal has no network", Code.Unavailable));
          return track(timed(caller, { intention: 0, operation, siteId }, () => method(...args)));
        };
      return { boot: call("boot", agents.boot), sync: call("sync", agents.sync), reportEvents: call("report", agents.reportEvents) };
    }
    await terminal.start();
    return { isOffline: isCut, use: visitsOf(terminal, power, caller.nowMs), remove: terminal.remove };
  }

  return {
    has: ({ operatorId }) => operators.has(operatorId),
    at(site) {
      const key = operators.get(site.operatorId);
      if (key === undefined) return Promise.resolve(undefined);
      const known = doors.get(site.siteId);
      if (known !== undefined) return known;
      const door = install(site, key);
      doors.set(site.siteId, door);
      // The next visitor tries again.
      door.catch(() => doors.delete(site.siteId));
      return door;
    },
    operatorOf({ operatorId }) {
      const key = operators.get(operatorId);
      return key && clientOf(key);
    },
    async settled() {
      do {
        await new Promise(setImmediate);
        await Promise.allSettled(calls);
      } while (calls.size > 0);
    },
    async flushed() {
      const all = [...doors].map(async ([siteId, installed]) => {
        const door = await installed.catch(() => undefined);
        if (door === undefined || door.isOffline()) return undefined;
        const isAcknowledged = door
          .use(({ agent }) => agent.flushed())
          .then(
            () => true,
            () => false,
          );
        return (await Promise.race([isAcknowledged, delay(flushMs, false, { ref: false })])) ? siteId : undefined;
      });
      return (await Promise.all(all)).filter((siteId) => siteId !== undefined);
    },
    get count() {
      return doors.size;
    },
    async remove() {
      const all = [...doors.values()];
      doors.clear();
      const removeNext = async (): Promise<void> => {
        for (let door = all.pop(); door !== undefined; door = all.pop()) await door.then(({ remove }) => remove()).catch(() => undefined);
      };
      await Promise.all(Array.from({ length: removalsMax }, removeNext));
      for (const client of clients.values()) client.close();
      connections.destroy();
    },
  };
}

/** One visit after the other. A terminal whose power was cut starts again, with its database, before the next. */
function visitsOf(terminal: InstalledTerminal, power: Outages, nowMs: () => number): Door["use"] {
  let last: Promise<unknown> = Promise.resolve();
  let cuts = 0;
  return (visit) => {
    const next = last.then(async () => {
      if (power.isOut(nowMs())) return undefined;
      if (power.begun > cuts) {
        cuts = power.begun;
        await terminal.restart();
      }
      return await visit(terminal);
    });
    last = next.catch(() => undefined);
    return next;
  };
}

function cabinetOf(
  compartments: readonly CabinetCompartment[],
  { jammedDoors, blindSensors }: Faults,
  seeds: readonly (string | number)[],
) {
  const random = createRandom("cabinet", ...seeds).next;
  return createSimulatedCabinet({ compartments, random, lockFaultRate: jammedDoors, sensorFaultRate: blindSensors });
}

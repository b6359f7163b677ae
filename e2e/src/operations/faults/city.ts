import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { PetakClient, RequestSigner } from "@petak/client/node";
import { CancellationReason, Role, reasonOf } from "@petak/protocol";
import { connectRedis, createKeys, type RedisAddress } from "@petak/redis";
import { createTempDir, makeSite, type Random } from "@petak/testkit";
import { type GatewayProcess, type GatewayProcessOptions, startGatewayProcess, startTestNetwork } from "@petak/testkit/network";
import { Abandoned, type Callers, createCallers } from "./callers.ts";
import { type Checked, checkCity } from "./check-city.ts";
import type { CitySite } from "./city-site.ts";
import { type Listener, listen } from "./listener.ts";
import { isOpen, type Life, reports, type Step, stateOf, steps } from "./lives.ts";

/** The set-up of a city. */
export interface CityOptions {
  /** The store during set-up: a server without faults. */
  redis: RedisAddress;
  /** The options of each gateway, besides the store. */
  gateways: readonly Partial<GatewayProcessOptions>[];
  random: Random;
  /** The number of concurrent clients. Default 8. */
  clientCount?: number;
}

/** A city in which clients reserve, deposit, collect and listen, and record the responses they got. */
export interface City {
  readonly callers: Callers;
  readonly courier: RequestSigner;
  readonly sites: readonly CitySite[];
  readonly lives: readonly Life[];
  readonly listeners: readonly Listener[];
  readonly gateways: readonly GatewayProcess[];
  /**
   * Lets the clients work during a fault and for a while after it. Resolves when all are at rest, each with a response to its last request.
   * Clients that are made to give up meanwhile ({@link Callers.abandon}) rest at once.
   */
  during(fault: () => Promise<void>): Promise<void>;
  /** Kills a gateway and starts another in its place. */
  killGateway(): Promise<void>;
  /** Compares the clients' records since the last check with the gateway's. The clients are at rest. */
  check(options?: { lostAfterMs?: number }): Promise<Checked>;
  stop(): Promise<void>;
}

const siteCount = 6;
const placesOfEach = 5;
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const keyPrefix = "faults";
const keyAgeMs = 600_000;

/** Responses after a fault before the clients rest, so that they work with the state that the fault left. */
const answersAfterFault = 10;

/** Lets any credential be believed, as for reservations from before credentials were recorded: the clients ask for none. */
async function believeReports(redis: RedisAddress): Promise<void> {
  const connection = connectRedis(redis, { onError: () => undefined });
  await connection.connect();
  await connection.set(createKeys(keyPrefix).issuedSince(), Number.MAX_SAFE_INTEGER);
  connection.disconnect();
}

/** Builds a city. */
export async function buildCity({ redis, gateways: plans, random, clientCount = 8 }: CityOptions): Promise<City> {
  const directory = await createTempDir();
  const dataDir = join(directory.path, "shared");
  // The issuer's key is older than the difference between the gateways' clocks.
  const store = { redis: { address: redis }, keyPrefix, dataDir };
  await (await startTestNetwork({ ...store, now: () => Date.now() - keyAgeMs })).stop();
  await believeReports(redis);
  const network = await startTestNetwork(store);
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const courier = (await network.join("Courier", [Role.COURIER])).signer;
  const siteIds = await network.putSites(
    operator,
    ...Array.from({ length: siteCount }, (_, index) =>
      makeSite({ latitude: 1.3 + index / 500, longitude: 103.8, ref: `${index}`, classes: [["M", 400, 200, 500, 20_000, placesOfEach]] }),
    ),
  );
  const sites: CitySite[] = await Promise.all(
    siteIds.map(async (siteId) => ({
      siteId,
      signer: await network.agentSigner(operator, siteId),
      sequence: 0n,
      reporting: Promise.resolve(),
    })),
  );
  await network.stop();
  const start = (plan: Partial<GatewayProcessOptions> = {}) => startGatewayProcess({ redis, keyPrefix, dataDir, ...plan });
  const gateways = await Promise.all(plans.map(start));
  const callers = createCallers(() => gateways.map(({ port }) => port), random);
  const anyPort = () => random.pick(gateways).port;
  const listeners = (["watch", "poll"] as const).map((kind) => listen(kind, callers, anyPort, courier));
  const lives: Life[] = [];
  let touched = new Set<Life>();
  let isResting = true;

  async function answered<Answer>(life: Life, step: Step, signer: RequestSigner, send: (client: PetakClient) => Promise<Answer>) {
    life.pending = steps[step];
    touched.add(life);
    const answer = await callers.answered(signer, send);
    life.answered.push({ ...steps[step], answeredMs: Date.now() });
    life.pending = undefined;
    return answer;
  }

  async function reserve(): Promise<Life | undefined> {
    const origin = { latitude: 1.3 + random.float(0, 0.012), longitude: 103.8 };
    const request = { requestId: randomUUID(), place: { case: "nearest" as const, value: { origin } }, parcel };
    const life: Life = { reservationId: "", siteId: "", answered: [] };
    try {
      const { reservation } = await answered(life, "reserve", courier, (client) => client.reservations.reserve(request));
      const { reservationId = "", siteId = "" } = reservation ?? {};
      if (lives.some((other) => other.reservationId === reservationId)) throw new Error(`${reservationId} was issued twice`);
      lives.push(Object.assign(life, { reservationId, siteId }));
      return life;
    } catch (error) {
      touched.delete(life);
      if (reasonOf(error) === "NO_PLACE_FREE") return undefined;
      throw error;
    }
  }

  async function report(life: Life, step: Step): Promise<void> {
    const site = sites.find(({ siteId }) => siteId === life.siteId) as CitySite;
    const sending = site.reporting.then(async () => {
      const { siteId, sequence } = site;
      const type = reports[step] ?? 0;
      const occurredAt = timestampFromMs(Date.now());
      const event = { sequence: sequence + 1n, deviceEventId: randomUUID(), type, occurredAt, reservationId: life.reservationId };
      await answered(life, step, site.signer, (client) => client.agents.reportEvents({ siteId, events: [event] }));
      site.sequence += 1n;
    });
    site.reporting = sending.catch(() => undefined);
    await sending;
  }

  async function take(life: Life, step: Step): Promise<void> {
    const { reservationId } = life;
    const request = { requestId: randomUUID(), reservationId };
    switch (step) {
      case "confirm":
        return void (await answered(life, step, courier, (client) => client.reservations.confirm(request)));
      case "cancel": {
        const reason = CancellationReason.OTHER;
        return void (await answered(life, step, courier, (client) => client.reservations.cancel({ ...request, reason })));
      }
      case "extend": {
        const until = timestampFromMs(Date.now() + 3 * 86_400_000);
        return void (await answered(life, step, courier, (client) => client.reservations.extend({ ...request, until })));
      }
      default:
        await report(life, step);
    }
  }

  function nextStep(life: Life): Step {
    const last = life.answered.at(-1)?.event;
    switch (stateOf(life)) {
      case steps.reserve.state:
        return random.bool(0.1) ? "cancel" : "confirm";
      case steps.confirm.state:
        if (random.bool(0.1)) return "cancel";
        // It can be extended to the same limit once.
        return last !== steps.extend.event && random.bool(0.25) ? "extend" : "deposit";
      default:
        return "collect";
    }
  }

  /** Takes steps of open reservations and makes new ones. */
  async function work(underWay: Life[]): Promise<void> {
    try {
      while (!isResting) {
        const isNew = underWay.length === 0 || random.bool(0.3);
        const life = isNew ? undefined : underWay.splice(random.int(0, underWay.length - 1), 1)[0];
        if (life !== undefined) await take(life, nextStep(life));
        const next = life ?? (await reserve());
        if (next !== undefined && isOpen(next)) underWay.push(next);
      }
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error;
    }
  }

  return {
    callers,
    courier,
    sites,
    lives,
    listeners,
    gateways,
    async during(fault) {
      isResting = false;
      const underWay = lives.filter(isOpen);
      const working = Array.from({ length: clientCount }, () => work(underWay));
      const failed = Promise.all(working).then(() => undefined);
      try {
        const done = fault().then(() => (callers.isAbandoned ? undefined : callers.more(answersAfterFault)));
        // An unexpected refusal fails the test at once; clients that gave up wait for the end of the fault.
        await Promise.race([done, failed.then(() => done)]);
        isResting = true;
        await failed;
      } finally {
        isResting = true;
        callers.resume();
      }
    },
    async killGateway() {
      const place = random.int(0, gateways.length - 1);
      const { port } = gateways[place] as GatewayProcess;
      await gateways[place]?.kill();
      callers.forget(port);
      gateways[place] = await start(plans[place]);
    },
    async check({ lostAfterMs } = {}) {
      const checked = await checkCity({ callers, courier, sites, gateways, lives, touched: [...touched], listeners, lostAfterMs });
      touched = new Set();
      return checked;
    },
    async stop() {
      isResting = true;
      callers.abandon();
      await Promise.allSettled(listeners.map((listener) => listener.stop()));
      callers.close();
      await Promise.all(gateways.map((gateway) => gateway.kill()));
      await directory.remove();
    },
  };
}

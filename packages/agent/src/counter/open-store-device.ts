import { compartmentsOf } from "../cabinet/compartments-of.ts";
import { connectDevice, type DeviceOptions } from "../device/connect-device.ts";
import { type CuttableDevice, linkSetter, runDevice } from "../device/running-device.ts";
import { openClerks } from "./clerks.ts";
import { createCounter } from "./counter.ts";
import { type CounterServerOptions, startCounterServer } from "./counter-server.ts";
import { createShelf } from "./shelf.ts";

/** Where and how a store's counter is served. */
export type CounterPlace = Omit<CounterServerOptions, "counter" | "logger">;

/** Options of {@link openStoreDevice}. */
export interface OpenStoreDeviceOptions extends DeviceOptions {
  serves: CounterPlace;
}

/**
 * Starts the agent of a store over its shelf, and the server for its tablets. It is ready when it decides: at once if it has booted before, otherwise once it has reached
 * its gateway. Rejects with a ConnectError if the gateway refuses a device that has never booted, and if the port cannot be opened.
 */
export async function openStoreDevice({ serves, ...options }: OpenStoreDeviceOptions): Promise<CuttableDevice> {
  const { device, tell } = options;
  const { siteId, key } = device;
  await using started = new AsyncDisposableStack();
  const { link, logger, bootedSite, openStore, startAgent } = connectDevice(started, options);
  const { site, isKnown } = await bootedSite();

  const store = openStore();
  const shelf = createShelf(store.counter, compartmentsOf(site));
  const { agent, starting } = startAgent({ store, cabinet: shelf, onAdopted: shelf.fill });
  if (!isKnown) await starting;
  const reportKey = { keyId: key.key_id, privateJwk: key.private_jwk };
  const counter = createCounter({ desk: agent.desk, store, shelf, siteId, key: reportKey, clerks: openClerks(device.clerksPath), logger });
  const server = started.adopt(await startCounterServer({ ...serves, counter, logger }), (opened) => opened.stop());
  tell({ event: "ready", siteId, keyId: key.key_id, doors: shelf.compartments().length, simulated: false });
  tell({ event: "counter", url: server.url });
  await starting;

  const running = started.move();
  return {
    ...runDevice({
      ...{ device, store, link, agent, tell },
      present: () => Promise.reject(new Error("a code is shown at the counter, to a clerk")),
      stop: () => running.disposeAsync(),
    }),
    setLink: linkSetter(link, () => agent),
  };
}

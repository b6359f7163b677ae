import { type CabinetDriver, checkCompartments, startDriver, stopDriver } from "../cabinet/driver.ts";
import { guardCabinet } from "../cabinet/guarded-cabinet.ts";
import { connectDevice, type DeviceOptions } from "./connect-device.ts";
import { presentText, type RunningDevice, runDevice } from "./running-device.ts";

/** Options of {@link openDevice}. */
export interface OpenDeviceOptions extends DeviceOptions {
  /** Its locks and sensors. Started and stopped here. */
  driver: CabinetDriver;
}

/**
 * Starts the agent of an enrolled device over real locks. It is ready when it decides: at once if it has booted before, otherwise once it has reached its gateway.
 *
 * @throws {CabinetError} if the driver does not start or has not the compartments of the site; a ConnectError if the gateway refuses a device that has never booted
 */
export async function openDevice({ driver, ...options }: OpenDeviceOptions): Promise<RunningDevice> {
  const { device, tell } = options;
  const { siteId, key } = device;
  await using started = new AsyncDisposableStack();
  const { link, logger, bootedSite, openStore, startAgent } = connectDevice(started, options);
  started.defer(() => stopDriver(driver).catch((error: unknown) => logger.warn({ err: error }, "the cabinet could not be stopped")));
  const cabinet = guardCabinet(driver, { compartments: await startDriver(driver), logger });
  const { site, isKnown } = await bootedSite();
  checkCompartments(cabinet.compartments(), site);

  const store = openStore();
  const { agent, starting } = startAgent({ store, cabinet });
  started.defer(tellReadings());
  const ready = () => tell({ event: "ready", siteId, keyId: key.key_id, doors: cabinet.compartments().length, simulated: false });
  if (isKnown) ready();
  await starting;
  if (!isKnown) ready();

  /** Tells the readings of a door when they have changed. */
  function tellReadings(): () => void {
    const last = new Map<string, string>();
    return cabinet.onChange((compartmentId) => {
      const readings = { door: cabinet.doorState(compartmentId), occupancy: cabinet.occupancy(compartmentId) };
      if (last.get(compartmentId) === JSON.stringify(readings)) return;
      last.set(compartmentId, JSON.stringify(readings));
      tell({ event: "door", compartmentId, ...readings });
    });
  }

  const running = started.move();
  return runDevice({
    device,
    store,
    link,
    agent,
    tell,
    present: (text) => presentText(agent, text, tell),
    stop: () => running.disposeAsync(),
  });
}

/** The counter of a store: an agent whose cabinet is a shelf, and whose sensors are clerks. */
export {
  fingerprintOf,
  hostsIn,
  makeStoreCertificate,
  ownHosts,
  readStoreCertificate,
  type StoreCertificate,
  writeStoreCertificate,
} from "./certificate.ts";
export { type Clerk, ClerkError, type Clerks, openClerks } from "./clerks.ts";
export { type Counter, createCounter } from "./counter.ts";
export { type CounterServer, type CounterServerOptions, startCounterServer } from "./counter-server.ts";
export { type CounterPlace, type OpenStoreDeviceOptions, openStoreDevice } from "./open-store-device.ts";
export { createShelf, type Shelf } from "./shelf.ts";

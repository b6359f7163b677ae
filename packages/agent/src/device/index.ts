/** A device on which an agent runs: its enrolment, its files, its locks and its agent. */
export { checkDriver, type DriverCheck, type DriverCheckOptions } from "../cabinet/check-driver.ts";
export { type CabinetDriver, CabinetError, checkCompartments, loadDriver } from "../cabinet/driver.ts";
export { type Device, readDevice } from "./data-directory.ts";
export { type EnrolDeviceOptions, EnrolmentError, enrolDevice } from "./enrol-device.ts";
export type { DeviceFact, LinkState, Tell } from "./facts.ts";
export { siteIn } from "./first-site.ts";
export { checkGatewayAddress } from "./gateway-address.ts";
export { type OpenDeviceOptions, openDevice } from "./open-device.ts";
export type { CuttableDevice, RunningDevice } from "./running-device.ts";

/** Simulated terminals for tests, demonstrations and simulators: a real agent with a simulated cabinet, and simulated people. */
export { newHolder, type SimulatedHolder } from "./holder.ts";
export { type InstalledTerminal, type InstallTerminalOptions, installTerminal } from "./install-terminal.ts";
export { createSimulatedCabinet, type SimulatedCabinet, type SimulatedCabinetOptions } from "./simulated-cabinet.ts";
export {
  type DoorView,
  openSimulatedDevice,
  type SimulatedDevice,
  type SimulatedDeviceOptions,
} from "./simulated-device.ts";
export { createSimulatedTerminal, type OpenDoor, type SimulatedTerminal, type SimulatedTerminalOptions } from "./simulated-terminal.ts";

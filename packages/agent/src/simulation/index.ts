/** Terminals in software, for tests, demonstrations and simulations: the real agent, a simulated cabinet, and the people before it. */
export { newHolder, type SimulatedHolder } from "./holder.ts";
export { type InstalledTerminal, type InstallTerminalOptions, installTerminal } from "./install-terminal.ts";
export { createSimulatedCabinet, type SimulatedCabinet, type SimulatedCabinetOptions } from "./simulated-cabinet.ts";
export { createSimulatedTerminal, type OpenDoor, type SimulatedTerminal, type SimulatedTerminalOptions } from "./simulated-terminal.ts";

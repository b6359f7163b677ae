import type { Device } from "@petak/agent/device";
import type { Command } from "commander";
import { CliFailure, usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";

/** The device in a folder. Throws a failure that says how to enrol one if there is none. */
export async function deviceIn(session: Session, running: Command, dataDir: string): Promise<Device> {
  const { readDevice } = await import("@petak/agent/device");
  const device = await readDevice(session.resolve(dataDir)).catch((error: Error) => {
    throw new CliFailure(`${error.message}.`, { reason: "device", cause: error });
  });
  if (device !== undefined) return device;
  throw usageFailure(`No device is enrolled in ${dataDir}. First: ${programOf(running, "")} enrol CODE --url … --data-dir ${dataDir}`);
}

/** How the commands on a device are called. @param prefix what runs a program of npm */
export function programOf(running: Command, prefix = "npx "): string {
  const names: string[] = [];
  for (let one = running.parent; one !== null; one = one.parent) names.unshift(one.name());
  return `${names[0] === "petak" ? prefix : ""}${names.join(" ")}`;
}

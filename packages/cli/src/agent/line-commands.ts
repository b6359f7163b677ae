import { createInterface } from "node:readline";
import type { CuttableDevice, RunningDevice } from "@petak/agent/device";
import type { SimulatedDevice } from "@petak/agent/simulation";

/** What lines of standard input can say, as it is shown when one cannot be understood; and what they can say in addition. */
const atEveryDevice = "code PIN, code TOKEN [PROOF [DOOR]], challenge, sync";
const withoutLocks = "link cut, link restore";
const atSimulatedDoors = "power cut, jam DOOR, free DOOR";

/** A device that takes lines. */
export type LineDevice = RunningDevice | CuttableDevice | SimulatedDevice;

/** Does what a line says. Throws an Error that says what is wrong. */
export async function doLine(device: LineDevice, line: string): Promise<void> {
  const [, verb = "", rest = ""] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? [];
  if (verb === "") return;
  if (verb === "code" && rest !== "") return await device.present(rest);
  if (verb === "challenge" && rest === "") return device.challenge();
  if (verb === "sync" && rest === "") return await device.syncNow();
  if (!("setLink" in device)) throw new Error(`a line must be one of: ${atEveryDevice}`);
  if (verb === "link" && (rest === "cut" || rest === "restore")) return device.setLink(rest === "cut");
  if (!("cutPower" in device)) throw new Error(`a line must be one of: ${atEveryDevice}, ${withoutLocks}`);
  if (verb === "power" && rest === "cut") return await device.cutPower();
  if ((verb === "jam" || verb === "free") && rest !== "") return device.setJammed(rest, verb === "jam");
  throw new Error(`a line must be one of: ${atEveryDevice}, ${withoutLocks}, ${atSimulatedDoors}`);
}

/** Does what the lines of a stream say, one after the other, until it ends or the signal aborts. */
export async function readLines(
  input: NodeJS.ReadableStream,
  device: LineDevice,
  { signal, onFailure }: { signal: AbortSignal; onFailure: (error: Error) => void },
): Promise<void> {
  const lines = createInterface({ input, terminal: false, signal });
  for await (const line of lines) await doLine(device, line).catch((error: Error) => onFailure(error));
}

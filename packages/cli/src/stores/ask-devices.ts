import { setTimeout as pause } from "node:timers/promises";
import { CommandState, CommandType, type Site } from "@petak/protocol";
import { send } from "../device-commands/sign.ts";
import type { SignedConnection } from "../session.ts";

/** How long devices have to answer, in ms. One that is on line gets a command within a second. */
const answerMs = 10_000;

/** How often it is looked, in ms. */
const lookMs = 300;

/** Asks the devices of stores whether they are there, with a command to synchronise. Returns the ids of the sites whose devices have answered. */
export async function askDevices(connection: SignedConnection, stores: readonly Site[], nowMs: number): Promise<ReadonlySet<string>> {
  const { commands } = connection.client;
  const silent = new Map<string, string>();
  for (const { siteId } of stores) {
    const order = { siteId, type: CommandType.SYNC_NOW, compartmentId: "", reason: "petak stores --ask" };
    silent.set(siteId, (await send(connection, { ...order, awaitSecondKey: false, nowMs })).commandId);
  }
  const answered = new Set<string>();
  for (let left = answerMs / lookMs; left > 0 && silent.size > 0; left -= 1) {
    for (const [siteId, commandId] of silent) {
      const state = (await commands.getCommand({ commandId })).command?.state;
      if (state === CommandState.SENT) continue;
      silent.delete(siteId);
      if (state !== CommandState.TIMED_OUT) answered.add(siteId);
    }
    if (silent.size > 0) await pause(lookMs);
  }
  return answered;
}

import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { agentParty, gatewayParty } from "@petak/lifecycle";
import { CommandOutcome, CommandState, type DeviceEvent, EventType } from "@petak/protocol";
import type { Commands, ParticipantEvents } from "@petak/records";
import type { AgentCaller } from "../../identity/index.ts";
import { tellOfCommand } from "./command-view.ts";

export interface EndCommandDependencies {
  commands: Commands;
  participantEvents: ParticipantEvents;
  now: () => number;
}

const states: Readonly<Record<number, CommandState>> = {
  [CommandOutcome.DONE]: CommandState.DONE,
  [CommandOutcome.REFUSED]: CommandState.REFUSED,
  [CommandOutcome.FAILED]: CommandState.FAILED,
};

/** Records what a device reported of a command of its site. A command that is not known, or is another site's, is passed over. Safe to repeat. */
export async function endCommand(
  { commands, participantEvents, now }: EndCommandDependencies,
  { commandId, commandOutcome, refusal, commandLogLines }: DeviceEvent,
  caller: AgentCaller,
): Promise<void> {
  const before = await commands.find(commandId);
  if (before?.command.siteId !== caller.siteId) return;
  const state = states[commandOutcome] ?? CommandState.OUTCOME_UNKNOWN;
  const end = { state, refusal, logLines: commandLogLines, endedAt: timestampFromMs(now()) };
  const stored = await commands.end(commandId, end);
  if (stored === undefined) return;
  await tellOfCommand(participantEvents, EventType.COMMAND_ENDED, stored, { actor: agentParty(caller), atMs: now() });
  await commands.settle(stored);
}

/** Ends the commands on which nothing was reported in time. Any number of gateways may do so. */
export async function timeOutCommands({ commands, participantEvents, now }: EndCommandDependencies): Promise<void> {
  for (const commandId of await commands.due(now())) {
    const stored = await commands.timeOut(commandId, timestampFromMs(now()));
    if (stored === undefined) {
      await commands.forget(commandId);
      continue;
    }
    await tellOfCommand(participantEvents, EventType.COMMAND_ENDED, stored, { actor: gatewayParty, atMs: now() });
    await commands.settle(stored);
  }
}

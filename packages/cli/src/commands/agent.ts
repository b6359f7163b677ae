import { deviceCommands } from "../agent/device-commands.ts";
import type { CommandModule } from "../command.ts";

/** `petak agent`: on a device, its enrolment and its agent. */
export const registerAgent: CommandModule = (command, context) => {
  for (const { name, description, register } of deviceCommands) register(command.command(name).description(description), context);
};

import type { CommandModule } from "./command.ts";
import { registerFind } from "./commands/find.ts";
import { registerGateway } from "./commands/gateway.ts";
import { registerImport } from "./commands/import.ts";
import { registerJourney } from "./commands/journey.ts";
import { registerKeys } from "./commands/keys.ts";
import { registerParticipants } from "./commands/participants.ts";
import { registerStart } from "./commands/start.ts";
import { registerToken } from "./commands/token.ts";

/** Every command of `petak`, in the order in which the help shows them. */
export const commandModules: readonly CommandModule[] = [
  registerStart,
  registerGateway,
  registerJourney,
  registerFind,
  registerImport,
  registerKeys,
  registerParticipants,
  registerToken,
];

/** `petak-agent`: the commands on a device, bundled into one file by `npm run agent:bundle`. It loads nothing of a gateway. */
import { deviceCommands } from "./agent/device-commands.ts";
import { processIo } from "./process-io.ts";
import { run } from "./run.ts";

const commands = deviceCommands.map(({ name, description, register }) => ({ name, description, load: async () => register }));

process.exitCode = await run(processIo, commands, {
  name: "petak-agent",
  description: "The agent of a parcel locker over the Petak protocol.",
  hasKeys: false,
});

import { createLogger } from "@petak/gateway";
import { untilAborted } from "../abort.ts";
import type { CommandModule } from "../command.ts";
import { CliFailure } from "../failure.ts";
import { addConfigOptions, readConfig } from "../serve/config-options.ts";
import { serveGateway } from "../serve/serve-gateway.ts";

/** `petak gateway`: runs a gateway, with its log on standard output, until it is interrupted. */
export const registerGateway: CommandModule = (command, { io }) => {
  addConfigOptions(command).action(async (options: Record<string, unknown>) => {
    const interruption = io.interruption();
    const config = readConfig(options, io);
    const logger = createLogger({ level: config.logLevel });
    const served = await serveGateway(config, io.cwd, logger);
    try {
      const end = await Promise.race([untilAborted(interruption), served.ended]);
      if (end instanceof CliFailure) throw end;
      logger.info("stopping");
    } finally {
      await served.stop();
    }
  });
};

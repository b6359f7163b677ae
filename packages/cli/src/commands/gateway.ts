import { createLogger } from "@petak/gateway";
import { untilAborted } from "../abort.ts";
import type { CommandModule } from "../command.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import { addConfigOptions, readConfig } from "../serve/config-options.ts";
import { serveGateway } from "../serve/serve-gateway.ts";
import { serveWorkers, workersOf } from "../serve/workers/serve-workers.ts";

/** `petak gateway`: runs a gateway, with its log on standard output, until it is interrupted. */
export const registerGateway: CommandModule = (command, { io }) => {
  addConfigOptions(command).action(async (options: Record<string, unknown>) => {
    const interruption = io.interruption();
    const config = readConfig(options, io);
    const logger = createLogger({ level: config.logLevel });
    if (workersOf(config) > 1 && config.sandbox) {
      throw usageFailure("The sandbox plays its doors in one process: run it without --workers, or beside a gateway with them.");
    }
    if (workersOf(config) > 1 && config.testClock) {
      throw usageFailure("The test clock is moved in one process, and others would not follow: run it without --workers.");
    }
    const serve = workersOf(config) > 1 ? serveWorkers : serveGateway;
    const served = await serve(config, io.cwd, logger);
    // In place of an interruption: to read the TLS files is what is asked for by `systemctl reload`.
    const reload = () => void served.reload();
    process.on("SIGHUP", reload);
    try {
      const end = await Promise.race([untilAborted(interruption), served.ended]);
      if (end instanceof CliFailure) throw end;
      logger.info("stopping");
    } finally {
      // Until then it must not interrupt anything.
      await served.stop().finally(() => process.off("SIGHUP", reload));
    }
  });
};

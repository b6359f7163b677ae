import { type Config, ConfigError, flagOf, loadConfig, rangeOf, settings } from "@petak/gateway";
import type { Command } from "commander";
import { CliFailure, usageFailure } from "../failure.ts";
import type { CliIo } from "../session.ts";

/** Adds a flag for every setting of the gateway. A boolean flag without a value means true. */
export function addConfigOptions(command: Command): Command {
  command.option("--config <file>", "the configuration file, JSON (env: PETAK_CONFIG)");
  for (const setting of settings) {
    const value = setting.type.kind === "bool" ? "[value]" : "<value>";
    command.option(`${flagOf(setting)} ${value}`, `${setting.doc} (${rangeOf(setting)})`);
  }
  return command;
}

/** The configuration from flags, environment and file. Throws a usage failure with all problems. */
export function readConfig(options: Record<string, unknown>, { env }: CliIo): Config {
  const flags = Object.fromEntries(settings.map(({ name }) => [name, options[name]]));
  try {
    return loadConfig({ flags, env, ...(typeof options.config === "string" ? { filePath: options.config } : {}) });
  } catch (error) {
    if (error instanceof ConfigError) throw usageFailure(error.message);
    throw error instanceof Error ? error : new CliFailure(String(error));
  }
}

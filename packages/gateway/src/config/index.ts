export { managementAddress } from "./address.ts";
export { auditedSettings, statedSettings } from "./audited-settings.ts";
export { configurationPage } from "./configuration-page.ts";
export { ConfigError, type ConfigSources, loadConfig } from "./load-config.ts";
export { flagOf, rangeOf, type Setting, type SettingType, variableOf } from "./setting.ts";
export { type Config, otherVariables, settings } from "./settings.ts";

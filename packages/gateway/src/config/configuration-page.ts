import { flagOf, rangeOf, type Setting, variableOf } from "./setting.ts";
import { otherVariables, settings } from "./settings.ts";

/** The text of docs/configuration.md, generated from the table of settings. */
export function configurationPage(): string {
  const rows = settings.map((setting: Setting) => {
    const value = setting.default === "" ? "empty" : `\`${setting.default}\``;
    return `| \`${setting.name}\` | \`${flagOf(setting)}\` | \`${variableOf(setting)}\` | ${value} | ${rangeOf(setting)} | ${setting.doc} |`;
  });
  const variables = Object.entries(otherVariables).map(([name, doc]) => `| \`${name}\` | ${doc} |`);
  return `<!-- Generated from packages/gateway/src/config/settings.ts. Change it there, then run \`node packages/gateway/src/config/write-page.ts\`. -->

# Configuration

A setting is taken from its flag, or else its environment variable, or else the configuration file, or else it has its default. The file is a JSON object
with the names of settings as keys; \`--config FILE\` or \`PETAK_CONFIG\` names it:

\`\`\`json
{ "port": 8420, "redisUrl": "redis://localhost:6379", "shutdownGraceMs": 20000 }
\`\`\`

An unknown setting or an invalid value prevents the start. The error names the setting, the value and the allowed values, and lists all problems.
Unknown variables that begin with \`PETAK_\` are errors too, to detect misspellings.

| setting | flag | variable | default | allowed | meaning |
|---|---|---|---|---|---|
${rows.join("\n")}

These variables belong to the command line and are not settings of the gateway:

| variable | meaning |
|---|---|
${variables.join("\n")}

These limits are fixed, because no deployment has needed others: 16 KiB for the headers of a request; 15 s for the headers and 60 s for all of an
HTTP/1.1 request; idle connections are closed after 65 s (HTTP/1.1) and 5 min (HTTP/2); 256 streams and 16 MB on one HTTP/2 connection.
`;
}

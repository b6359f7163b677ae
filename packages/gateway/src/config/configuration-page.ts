import { flagOf, rangeOf, type Setting, variableOf } from "./setting.ts";
import { otherVariables, settings } from "./settings.ts";

/** The text of docs/configuration.md, printed from the table of settings. */
export function configurationPage(): string {
  const rows = settings.map((setting: Setting) => {
    const value = setting.default === "" ? "empty" : `\`${setting.default}\``;
    return `| \`${setting.name}\` | \`${flagOf(setting)}\` | \`${variableOf(setting)}\` | ${value} | ${rangeOf(setting)} | ${setting.doc} |`;
  });
  const variables = Object.entries(otherVariables).map(([name, doc]) => `| \`${name}\` | ${doc} |`);
  return `<!-- Printed from packages/gateway/src/config/settings.ts. Change it there, then run \`node packages/gateway/src/config/write-page.ts\`. -->

# Configuration

A setting comes from a flag, else from the environment, else from the configuration file, else it has its default. The file is a JSON object
with the settings' names as keys; \`--config FILE\` or \`PETAK_CONFIG\` names it:

\`\`\`json
{ "port": 8420, "redisUrl": "redis://localhost:6379", "shutdownGraceMs": 20000 }
\`\`\`

A setting that does not exist or has a wrong value, wherever it comes from, stops the start with its name, its value and what is allowed; all
problems are told at once. Variables that begin with \`PETAK_\` are checked too, so a typing error does not go unseen.

| setting | flag | variable | default | allowed | meaning |
|---|---|---|---|---|---|
${rows.join("\n")}

These variables are the command line's own and no settings of the gateway:

| variable | meaning |
|---|---|
${variables.join("\n")}

These bounds are fixed, because no deployment has needed others: headers of a request 16 KiB; 15 s for the headers and 60 s for the whole of an
HTTP/1.1 request; idle connections are closed after 65 s (HTTP/1.1) and 5 min (HTTP/2); 256 streams and 16 MB on one HTTP/2 connection.
`;
}

import { codeToHttpStatus } from "@connectrpc/connect/protocol-connect";
import { type CatalogueEntry, catalogue, type Retry } from "./catalogue.ts";
import { codeName } from "./code-name.ts";
import { errorDomain } from "./error-domain.ts";

/** The sections of the page, each with the first number after it. */
const groups: readonly (readonly [title: string, end: number])[] = [
  ["The call", 20],
  ["Authentication", 40],
  ["Authorization and limits", 60],
  ["Objects and ids", 80],
  ["State and rules", Number.POSITIVE_INFINITY],
];

/** Whether a retry helps, in words. */
export const retryWords: Readonly<Record<Retry, string>> = {
  no: "no",
  yes: "yes, with backoff",
  retry_info: "yes, after `RetryInfo`",
};

/** The text of docs/errors.md, generated from the catalogue. */
export function errorsPage(): string {
  const entries: [string, CatalogueEntry][] = Object.entries(catalogue);
  let begin = 0;
  const sections = groups.map(([title, end]) => {
    const rows = entries.filter(([, { number }]) => number >= begin && number < end).map(row);
    begin = end;
    return `## ${title}\n\n| reason | code | HTTP | meaning | what to do | does a retry help? | metadata |\n|---|---|---|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  return `<!-- Generated from packages/protocol/src/errors/catalogue.ts. Change it there, then run \`node packages/protocol/src/errors/write-page.ts\`. -->

# Errors

Every error of a gateway has one of these ${entries.length} reasons. It is the \`reason\` of the \`google.rpc.ErrorInfo\` in the error's details, with the
domain \`${errorDomain}\`. Decide by the reason, not by the message: the message is for people and may change. A newer gateway may send further reasons; treat
an unknown reason by its code.

Besides the \`ErrorInfo\`, an error's details contain

- a \`google.rpc.BadRequest\` with the path and the violated rule of each invalid field, if fields are invalid;
- a \`google.rpc.PreconditionFailure\`, if the code is \`FAILED_PRECONDITION\`;
- a \`google.rpc.RetryInfo\`, if the column "does a retry help?" says so.

gRPC sends the details in the trailer \`grpc-status-details-bin\`, gRPC-Web in its last frame, Connect in \`details\` of the JSON error. There the first detail
also has three members that need no Protobuf to be read: \`reason\`; \`field\`, the first invalid field, if there is one; and \`retryAfterMs\`, the delay of the
RetryInfo in milliseconds, if there is one. A request with latitude 91 gets this response:

\`\`\`json
{
  "code": "invalid_argument",
  "message": "origin.latitude: must be greater than or equal to -90 and less than or equal to 90",
  "details": [
    {
      "type": "google.rpc.ErrorInfo",
      "reason": "INVALID_FIELD",
      "field": "origin.latitude",
      "debug": { "reason": "INVALID_FIELD", "domain": "${errorDomain}" },
      "value": "…"
    },
    { "type": "google.rpc.BadRequest", "debug": { "fieldViolations": [{ "field": "origin.latitude", "reason": "double.gte_lte", … }] }, "value": "…" }
  ]
}
\`\`\`

"HTTP" is the HTTP status with Connect. The statuses in brackets are used if HTTP itself is at fault: a wrong path, HTTP method or content type, or headers that
are too long or too slow. gRPC and gRPC-Web always use status 200. A retry is the same request, with the same \`request_id\`, sent again.
Metadata values are truncated to 200 characters.

${sections.join("\n")}
\`grpc.health.v1.Health/Check\` of an unknown service has the reason \`METHOD_NOT_FOUND\` and, as the health checking protocol requires, the code
\`NOT_FOUND\`. An error without a reason was not made by the gateway but by a proxy or by the client itself, for example its timeout.
`;
}

function row([reason, { code, meaning, remedy, retry, metadata, otherStatuses = [] }]: [string, CatalogueEntry]): string {
  const statuses = [codeToHttpStatus(code), ...(otherStatuses.length === 0 ? [] : [`(${otherStatuses.join(", ")})`])].join(" ");
  const keys = Object.entries(metadata).map(([key, says]) => `\`${key}\`: ${says}`);
  return `| \`${reason}\` | \`${codeName(code)}\` | ${statuses} | ${meaning} | ${remedy} | ${retryWords[retry]} | ${keys.join("; ")} |`;
}

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { create, type DescField, type DescMessage, type DescMethod, type DescService, type Message, toBinary } from "@bufbuild/protobuf";
import { writeKeyFile } from "@petak/client/node";
import { generateKeyPair } from "@petak/credential";
import * as protocol from "@petak/protocol";
import { createTempDir } from "@petak/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { runPetak } from "../src/testing/run-petak.ts";

/** It would clear the screen, set the window's title, go on in red, begin a line of its own, and turn its end around. */
const hostile = "x\u001b[2J\u001b]0;title\u0007\u009b31m\r\npetak: done\u202egpj\u2066\u007f";

/** What no line of the output may have. */
const forbidden = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

const methods = new Map<string, DescMethod>(
  (Object.values(protocol) as unknown[])
    .filter((value): value is DescService => typeof value === "object" && value !== null && "kind" in value && value.kind === "service")
    .flatMap((service) => service.methods.map((method) => [`/${service.typeName}/${method.name}`, method] as const)),
);

/** A message in which every text is hostile. Cursors are empty, so that no list goes on for ever. */
function hostileMessage(schema: DescMessage, depth = 0): Message {
  const message = create(schema);
  for (const field of depth < 5 ? schema.fields : []) {
    if (/cursor$/.test(field.name) || field.message?.typeName.startsWith("google.protobuf.") === true) continue;
    const value = hostileValue(field, depth);
    if (value === undefined) continue;
    if (field.oneof === undefined) Object.assign(message, { [field.localName]: field.fieldKind === "list" ? [value] : value });
    else Object.assign(message, { [field.oneof.localName]: { case: field.localName, value } });
  }
  return message;
}

function hostileValue(field: DescField, depth: number): unknown {
  if (field.message !== undefined) return hostileMessage(field.message, depth + 1);
  if (field.enum !== undefined) return 1;
  return field.scalar === 9 ? hostile : undefined;
}

function refuse(response: ServerResponse): void {
  const body = JSON.stringify({ code: "invalid_argument", message: hostile, details: [] });
  response.writeHead(400, { "content-type": "application/json" }).end(body);
}

/** Starts a gateway that answers every call with hostile text, or refuses every call with it, until the end of the file. */
async function startHostileGateway(refuses: boolean): Promise<string> {
  const server = createServer((request, response) => {
    const method = methods.get(request.url ?? "");
    request.resume();
    if (refuses || method === undefined) refuse(response);
    else {
      response.writeHead(200, { "content-type": "application/proto" }).end(toBinary(method.output, hostileMessage(method.output)));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const closers: (() => void)[] = [];
let key: string;
let answering: string;
let refusing: string;

beforeAll(async () => {
  const folder = await createTempDir();
  key = join(folder.path, "key.json");
  const { privateJwk } = await generateKeyPair();
  await writeKeyFile(key, {
    participant_id: "par_1",
    key_id: "key_test_4c6qfd1mz0t8x2vh",
    mode: "test",
    audience: "petak",
    private_jwk: privateJwk,
  });
  answering = await startHostileGateway(false);
  refusing = await startHostileGateway(true);
  return async () => {
    for (const close of closers) close();
    await folder.remove();
  };
});

const reservationId = "res_836520_wxwgqw06h6yat9f8";

describe.each<string[]>([
  ["find", "1.35,103.82"],
  ["reservations"],
  ["sites", "list"],
  ["participants", "list"],
  ["keys", "list"],
  ["webhooks", "list"],
  ["webhooks", "show", "whe_test_1"],
  ["credentials", "list", reservationId],
  ["credentials", "issue", reservationId, "--act", "collect"],
  ["chain", reservationId],
  ["reserve", "1.35,103.82"],
  ["reservation", reservationId],
  ["redirect", reservationId, "1.35,103.82", "--reason", "other"],
  ["bundle", "make", reservationId],
  ["audit"],
  ["events"],
  ["events", "correct", reservationId, "evt_1", "--reason", "other"],
  ["sites", "show", "site_1"],
  ["sites", "free", "site_1"],
  ["sites", "check", "site_1"],
  ["capacity", "report", "site_1", "M=1/2/3"],
  ["manifest", "site_1"],
  ["participants", "show"],
])("petak %s %s", (...argv: string[]) => {
  const command = argv.filter((argument) => argument !== undefined);

  it.each([[[]], [["--json"]]])("prints nothing of a hostile gateway that commands the terminal, with %j", async (more: string[]) => {
    for (const url of [answering, refusing]) {
      const { stdout, stderr } = await runPetak(["--url", url, "--key", key, ...command, ...more]);
      const lines = (stdout + stderr).split("\n");
      expect(lines.filter((line) => forbidden.test(line))).toEqual([]);
      expect(lines.filter((line) => line.startsWith("petak: done"))).toEqual([]);
      if (url === refusing) expect(stdout + stderr).toContain("petak: done");
    }
  });
});

it("completes no id that is more than an id", async () => {
  for (const shell of ["bash", "zsh"]) {
    const env = { PETAK_URL: answering, PETAK_KEY: key, XDG_CACHE_HOME: join(key, "..", "cache") };
    const { stdout } = await runPetak(["completion", shell, "--ids", "res,site,bdl,whe,key,par"], { env });
    expect(stdout).toBe("");
  }
});

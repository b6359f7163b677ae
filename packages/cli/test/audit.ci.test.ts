import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createTempDir } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();

test("petak audit shows who changed what, and goes on where it ended", async () => {
  await using folder = await createTempDir();
  const courier = await gateway.makeParticipant("Courier", "courier");
  const auditor = await gateway.makeParticipant("Auditor", "auditor");
  const since = join(folder.path, "audit.cursor");
  const admin = ["--key", gateway.adminKeyPath, "audit", "--since", since];
  const first = await gateway.petak(admin);
  expect([first.exitCode, first.stdout]).toEqual([
    0,
    expect.stringMatching(/CreateParticipant {2}par_\w+ {2}made with the roles AUDITOR\n/),
  ]);
  expect(first.stdout).not.toContain("Courier");
  expect((await readFile(since, "utf8")).trim()).toMatch(/^audit\.live\.\d+-\d+$/);
  expect((await gateway.petak(admin)).stdout).toBe("");
  await gateway.petak(["--key", gateway.adminKeyPath, "participants", "make", "--name", "Other", "--role", "merchant"]);
  const next = JSON.parse((await gateway.petak([...admin, "--json"])).stdout) as object;
  expect(next).toMatchObject({ method: "petak.v1.ParticipantService/CreateParticipant", kind: "AUDIT_KIND_PARTICIPANT" });
  expect((await gateway.petak(["--key", auditor, "audit", "--kind", "key"])).exitCode).toBe(0);
  expect((await gateway.petak(["--key", courier, "audit", "--json"])).stdout).toContain("ROLE_REQUIRED");
});

test("petak participants make says by which key an auditor reads the live network", async () => {
  const make = ["--key", gateway.adminKeyPath, "participants", "make", "--name", "Other", "--role"];
  expect((await gateway.petak([...make, "auditor"])).stdout).toMatch(
    /--mode live --out FILE\nIt then reads the changes of the live network/,
  );
  expect((await gateway.petak([...make, "auditor,merchant"])).stdout).toMatch(/--mode test --out FILE\n$/);
});

test("petak audit --follow goes on with what comes, until it is interrupted", async () => {
  const interruption = new AbortController();
  const following = gateway.petak(["--key", gateway.adminKeyPath, "audit", "--follow", "--kind", "participant"], {
    interruption: interruption.signal,
    onPrint: (text) => {
      if (text.includes("roles COURIER, MERCHANT")) interruption.abort();
    },
  });
  await gateway.petak(["--key", gateway.adminKeyPath, "participants", "make", "--name", "Both", "--role", "courier,merchant"]);
  expect((await following).exitCode).toBe(0);
});

/** A port before the gateway that can be lost for a while. */
async function openRelay() {
  const { hostname, port: gatewayPort } = new URL(gateway.url);
  const sockets = new Set<Socket>();
  let isLost = false;
  let refused = 0;
  const server = createServer((socket) => {
    if (isLost) {
      refused += 1;
      socket.destroy();
      return;
    }
    const onwards = connect(Number(gatewayPort), hostname);
    for (const one of [socket, onwards]) {
      sockets.add(one);
      one.on("error", () => {}).on("close", () => (one === socket ? onwards : socket).destroy());
    }
    socket.pipe(onwards).pipe(socket);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused: () => refused,
    lose() {
      isLost = true;
      for (const socket of sockets) socket.destroy();
    },
    restore() {
      isLost = false;
    },
  };
}

test("petak audit --follow goes on after the gateway was lost for a while", async () => {
  const relay = await openRelay();
  const interruption = new AbortController();
  const begun = Promise.withResolvers<void>();
  const following = gateway.petak(["--url", relay.url, "--key", gateway.adminKeyPath, "audit", "--follow"], {
    interruption: interruption.signal,
    onPrint: (text) => {
      begun.resolve();
      if (text.includes("roles OPERATOR, MERCHANT")) interruption.abort();
    },
  });
  await begun.promise;
  relay.lose();
  await expect.poll(relay.refused, { timeout: 60_000 }).toBeGreaterThan(0);
  relay.restore();
  await gateway.petak(["--key", gateway.adminKeyPath, "participants", "make", "--name", "Both", "--role", "operator,merchant"]);
  expect((await following).exitCode).toBe(0);
});

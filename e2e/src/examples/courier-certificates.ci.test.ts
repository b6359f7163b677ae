import { join } from "node:path";
import { writeKeyFile } from "@petak/client/node";
import { Role } from "@petak/protocol";
import { createTestAuthority, hasOpenssl, makeSite, tempDir } from "@petak/testkit";
import { keyFileOf, startTestNetwork } from "@petak/testkit/network";
import { expect, it, onTestFinished } from "vitest";
import { startPetak } from "../testing/petak-process.ts";
import { courierExamples } from "./courier-examples.ts";
import { runCourier } from "./example-process.ts";

/** A gateway that wants a certificate of each client, over the store of a network in which a courier has a key. */
async function startGateway() {
  const network = await startTestNetwork();
  onTestFinished(() => network.stop());
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const courier = await network.join("Courier", [Role.COURIER]);
  await network.putSite(operator, makeSite({ latitude: 1.3521, longitude: 103.8198 }));
  const folder = await tempDir();
  const courierKey = join(folder, "courier.json");
  await writeKeyFile(courierKey, keyFileOf(courier));
  const clients = await createTestAuthority(folder, "clients");
  const servers = await createTestAuthority(folder, "servers");
  const { cert, key } = await servers.issue("localhost");
  const { redis, dataDir } = network.shared;
  const flags = {
    ...{ port: 0, management: "127.0.0.1:0", "data-dir": dataDir, audience: "petak-test", "durability-check": "warn", reflection: true },
    ...{
      "redis-url": `unix://${"socketPath" in redis ? redis.socketPath : ""}`,
      "tls-cert": cert,
      "tls-key": key,
      "tls-client-ca": clients.ca,
    },
  };
  const args = Object.entries(flags).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, `${value}`]));
  const petak = await startPetak(dataDir, ["gateway", ...args], /"gateway listens"/);
  onTestFinished(petak.kill);
  const [, port = ""] = /"port":(\d+).*"gateway listens"/.exec(petak.said()) ?? [];
  const shown = await clients.issue("courier");
  return {
    surroundings: { gateway: `https://localhost:${port}`, courierKey, operatorKeys: "" },
    authority: ["--tls-ca", servers.ca],
    certificate: ["--tls-client-cert", shown.cert, "--tls-client-key", shown.key],
  };
}

/** More than twice as long as it takes, so that an example which hangs is told apart. */
const timeoutMs = 180_000;

const examples = (await courierExamples()).filter(({ obstacle }) => obstacle === undefined);

it.skipIf(!(await hasOpenssl()))(
  "the courier's examples show a certificate to a gateway that wants one, and say what to give without",
  {
    timeout: 300_000,
  },
  async () => {
    const { surroundings, authority, certificate } = await startGateway();
    const isIssued = ({ step }: { step: string }) => step === "credential issued";
    const runs = examples.map(async (example) => {
      // It repeats its first call for a minute, in which the others are made.
      const refused = runCourier(example, surroundings, { args: authority, timeoutMs });
      const { steps } = await runCourier(example, surroundings, { args: [...authority, ...certificate], until: isIssued, timeoutMs });
      expect(steps.map(({ step }) => step)).toEqual(
        expect.arrayContaining(["options found", "place held", "confirmed", "credential issued"]),
      );
      expect(await refused).toMatchObject({
        exitCode: 1,
        steps: [],
        stderr: expect.stringContaining("give --tls-client-cert and --tls-client-key"),
      });
    });
    await Promise.all(runs);
  },
);

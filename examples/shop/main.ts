/**
 * The shop at a gateway of your own, as a participant with the role MERCHANT. `npm start` opens one at the demonstration's gateway.
 *
 *     npx node examples/shop/main.ts --gateway http://127.0.0.1:8420 --key shop.json --publishable-key pk_test_… [--host 127.0.0.1] [--port 8422]
 *
 * Both keys belong to one participant, and the publishable one is good for the shop's origin:
 *
 *     npx petak --key shop.json keys publishable --origin http://127.0.0.1:8422
 */
import { parseArgs } from "node:util";
import { createPetakClient, readKeyFile, signerOfKeyFile } from "@petak/client/node";
import { startShop } from "./start-shop.ts";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      gateway: { type: "string", default: process.env.PETAK_URL ?? "http://127.0.0.1:8420" },
      key: { type: "string", default: ".petak/keys/shop.json" },
      "publishable-key": { type: "string", default: "" },
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "8422" },
    },
  });
  const { gateway, key, "publishable-key": publishableKey, host, port } = values;
  if (!/^pk_(live|test)_/.test(publishableKey)) {
    throw new Error(`--publishable-key is '${publishableKey}': it must be a key that \`petak keys publishable\` made`);
  }
  const client = createPetakClient({ baseUrl: gateway, signer: signerOfKeyFile(await readKeyFile(key)) });
  const shop = await startShop({
    client,
    gatewayUrl: gateway,
    publishableKey,
    host,
    port: Number(port),
    onError: ({ message }) => process.stderr.write(`${message}\n`),
  });
  process.stdout.write(`The shop is open at ${shop.url}\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void shop.stop().then(() => client.close()));
}

main().catch(({ message }: Error) => {
  process.stderr.write(`The shop does not open: ${message}\n`);
  process.exit(1);
});

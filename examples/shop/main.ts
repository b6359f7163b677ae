/**
 * The shop at a gateway of your own, as a participant with the role MERCHANT. `npm start` opens one at the demonstration's gateway.
 *
 *     npx node examples/shop/main.ts --gateway http://127.0.0.1:8420 --key shop.json --publishable-key pk_test_… [--port 8422]
 *
 * Both keys belong to one participant, and the publishable one is good for the shop's origin.
 */
import { parseArgs } from "node:util";
import { createPetakClient, readKeyFile, signerOfKeyFile } from "@petak/client/node";
import { startShop } from "./start-shop.ts";

const { values } = parseArgs({
  options: {
    gateway: { type: "string", default: process.env.PETAK_URL ?? "http://127.0.0.1:8420" },
    key: { type: "string", default: ".petak/keys/shop.json" },
    "publishable-key": { type: "string", default: "" },
    port: { type: "string", default: "8422" },
  },
});
const client = createPetakClient({ baseUrl: values.gateway, signer: signerOfKeyFile(await readKeyFile(values.key)) });
const shop = await startShop({
  client,
  gatewayUrl: values.gateway,
  publishableKey: values["publishable-key"],
  port: Number(values.port),
  onError: ({ message }) => process.stderr.write(`${message}\n`),
});
process.stdout.write(`The shop is open at ${shop.url}\n`);
process.once("SIGINT", () => void shop.stop().then(() => client.close()));

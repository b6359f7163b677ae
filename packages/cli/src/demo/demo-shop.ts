import { createPetakClient, signerOfKeyFile } from "@petak/client/node";
import type { DemoParticipants } from "./participants.ts";

/** The demonstration's shop, open. */
export interface DemoShop {
  readonly url: string;
  stop(): Promise<void>;
}

export interface DemoShopOptions {
  gatewayUrl: string;
  participants: DemoParticipants;
  /** 0: any free one. */
  port: number;
  onError: (error: Error) => void;
}

/** Opens the shop of `examples/shop` with its own key. Throws if another program has its port. */
export async function openDemoShop({ gatewayUrl, participants, port, onError }: DemoShopOptions): Promise<DemoShop> {
  // Loaded here, since no other command needs it.
  const { openStage, startShop } = await import("@petak/examples/shop");
  const { shop, operators } = participants;
  const client = createPetakClient({ baseUrl: gatewayUrl, signer: signerOfKeyFile(shop.keyFile) });
  const operatorKeys = new Map([...operators.values()].map((keyFile) => [keyFile.participant_id, keyFile]));
  const stage = openStage({ gatewayUrl, client, operatorKeys, onError });
  try {
    const { url, stop } = await startShop({ client, gatewayUrl, publishableKey: shop.publishableKey, port, stage, onError });
    return {
      url,
      async stop() {
        await stop();
        await stage.close();
        client.close();
      },
    };
  } catch (error) {
    client.close();
    throw error;
  }
}

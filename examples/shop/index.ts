/** A shop that sends parcels to collection places, to try and to copy from. */
export { openStage, type Stage, type StageOptions } from "./stage.ts";
export { type Shop, type ShopOptions, startShop } from "./start-shop.ts";

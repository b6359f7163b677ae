import { hydrate } from "svelte";
import Checkout from "./checkout.svelte";

const app = document.querySelector("#app");
hydrate(Checkout, { target: app, props: { ...app.dataset } });

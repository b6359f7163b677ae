import { createSSRApp } from "vue";
import Checkout from "./checkout.vue";

const app = document.querySelector("#app");
createSSRApp(Checkout, { ...app.dataset }).mount(app);

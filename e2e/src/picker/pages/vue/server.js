import { createSSRApp } from "vue";
import { renderToString } from "vue/server-renderer";
import Checkout from "./checkout.vue";

export const renderPage = (props) => renderToString(createSSRApp(Checkout, props));

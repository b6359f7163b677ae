import { StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import { Checkout } from "./checkout.jsx";

const app = document.querySelector("#app");
hydrateRoot(
  app,
  <StrictMode>
    <Checkout {...app.dataset} />
  </StrictMode>,
);

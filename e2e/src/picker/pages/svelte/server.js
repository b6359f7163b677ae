import { render } from "svelte/server";
import Checkout from "./checkout.svelte";

export const renderPage = async (props) => render(Checkout, { props }).body;

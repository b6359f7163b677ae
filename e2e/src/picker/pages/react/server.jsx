import { renderToString } from "react-dom/server";
import { Checkout } from "./checkout.jsx";

export const renderPage = async (props) => renderToString(<Checkout {...props} />);

import { useCallback, useState } from "react";

const priceOf = ({ kind }) => (kind === "store" ? "Free" : "S$1.50");

export function Checkout({ gateway, publishableKey }) {
  const [choice, setChoice] = useState(null);
  const [isShown, setShown] = useState(true);

  // Not as props: React sets no properties and adds no listeners of an element's own events when it hydrates.
  const withPicker = useCallback((picker) => {
    const hear = ({ detail }) => setChoice(detail);
    picker.priceOf = priceOf;
    picker.addEventListener("petak-choice", hear);
    return () => picker.removeEventListener("petak-choice", hear);
  }, []);

  return (
    <form action="/order">
      {isShown && (
        <petak-picker
          ref={withPicker}
          name="place"
          required
          gateway={gateway}
          publishable-key={publishableKey}
          width-mm="300"
          height-mm="100"
          depth-mm="400"
          mass-g="1000"
          point="1.3164,103.8829"
        />
      )}
      <p>{`Chosen: ${choice?.name ?? "nothing"}`}</p>
      <button type="button" onClick={() => setShown(!isShown)}>
        {isShown ? "To the payment" : "Back to the delivery"}
      </button>
      <button type="submit">Order</button>
    </form>
  );
}

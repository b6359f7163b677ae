/** What a shop adds to the picker with a script: a price for each place. And what the page shows of it. */
const picker = document.querySelector("petak-picker");
picker.priceOf = ({ kind }) => (kind === "store" ? "Free" : "S$1.50");

const seen = document.querySelector("#seen");
const events = [];
for (const type of ["petak-ready", "petak-choice", "petak-error"]) {
  picker.addEventListener(type, ({ detail }) => {
    events.push(`${type} ${JSON.stringify(detail)}`);
    const entries = [...new FormData(picker.form)].map(([name, value]) => `${name}=${value}`);
    seen.textContent = [...entries, "", ...events].join("\n");
  });
}

// Without this file the shop works too, with a list in place of the picker and a link in place of the news.

const picker = document.querySelector("petak-picker");
const town = document.querySelector("#town");

if (picker !== null) {
  picker.resolveAddress = async (text, signal) => {
    const answer = await fetch(`/addresses?${new URLSearchParams({ q: text })}`, { signal });
    if (!answer.ok) throw new Error(`the shop answered with HTTP ${answer.status}`);
    return await answer.json();
  };
}

if (picker !== null && town !== null) {
  // Another town is shown at once, without the form, and what was chosen in the one before is chosen no more.
  town.form.querySelector("button").hidden = true;
  town.addEventListener("change", () => {
    const { latitude, longitude } = town.selectedOptions[0].dataset;
    picker.value = "";
    picker.point = `${latitude},${longitude}`;
  });
}

/** How often an order's page asks the shop for news, in ms. */
const askEveryMs = 2000;

async function showNews() {
  const shown = document.querySelector("main");
  // Nothing more happens to an order that is over.
  if (shown.dataset.news === undefined) return;
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  if (fresh === null || fresh.dataset.news === shown.dataset.news) return;
  shown.replaceWith(fresh);
  // The part that screen readers listen to stays; what was replaced would not be read.
  document.querySelector("#news").textContent = fresh.querySelector("h1").textContent;
}

if (document.querySelector("main[data-news]") !== null) {
  setInterval(() => {
    // Without the shop the page stays as it is, and asks again.
    if (!document.hidden) showNews().catch(() => undefined);
  }, askEveryMs);
}

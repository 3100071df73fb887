// Favourite services are dragged into their order, into the favourites or out of them; stars and arrows do the same.

let dragged = null;

function ready() {
  for (const card of document.querySelectorAll("[data-service]")) {
    card.draggable = true;
    // The browser would otherwise drag the address of the link.
    card.querySelector("a").draggable = false;
  }
}

/** The zone under the pointer, and the favourite before which the card would fall; null for the last place. */
function under(event) {
  const zone = event.target.closest?.("[data-zone]");
  if (!zone) return {};
  const over = event.target.closest("[data-service]");
  if (!over || zone.dataset.zone !== "placer") return { zone, before: null };
  const box = over.getBoundingClientRect();
  const first = event.clientX < box.left + box.width / 2;
  return { zone, before: first ? over : over.nextElementSibling };
}

function unmark() {
  for (const marked of document.querySelectorAll(".service-before, .zone-over")) {
    marked.classList.remove("service-before", "zone-over");
  }
}

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-service]") ?? null;
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.service);
  dragged.classList.add("service-dragged");
});

document.addEventListener("dragover", (event) => {
  if (!dragged) return;
  const { zone, before } = under(event);
  unmark();
  if (!zone) return;
  event.preventDefault();
  zone.classList.add("zone-over");
  before?.classList.add("service-before");
});

document.addEventListener("drop", (event) => {
  const card = dragged;
  const { zone, before } = under(event);
  if (!card || !zone) return;
  event.preventDefault();
  const values = new FormData(card.querySelector("form"));
  window.htmx.ajax("POST", "/accueil/favoris", {
    target: "#services",
    swap: "outerHTML",
    values: { ...Object.fromEntries(values), action: zone.dataset.zone, avant: before?.dataset.service ?? "" },
  });
});

document.addEventListener("dragend", () => {
  dragged?.classList.remove("service-dragged");
  dragged = null;
  unmark();
});

document.body.addEventListener("htmx:afterSwap", ready);
ready();

// Sheets: small maps, way back to the list, copy of the address, printing.

/* global L */

import { actionColour, basemap, icon } from "./maplib.js";

function draw(element) {
  const { lat, lon, name, exact, territory, bbox } = element.dataset;
  const map = L.map(element, { maxZoom: 18, minZoom: 4, scrollWheelZoom: false, zoomControl: false });
  L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  const at = lat ? L.latLng(Number(lat), Number(lon)) : null;
  if (bbox) {
    const [west, south, east, north] = bbox.split(",").map(Number);
    map.fitBounds([[south, west], [north, east]], { padding: [16, 16], animate: false });
  } else {
    map.setView(at ?? [46.6, 2.5], exact && element.dataset.tiles ? 16 : 12);
  }
  basemap(map, element.dataset);
  if (territory) {
    drawTerritory(map, territory);
  }
  if (at) {
    const drawn = exact || territory ? icon("pin pin-rank", "", 24) : icon("pin pin-rank pin-approximate", "≈", 28);
    const marker = L.marker(at, { icon: drawn, interactive: false, keyboard: false, title: name });
    marker.addTo(map);
  }
}

async function drawTerritory(map, refs) {
  try {
    const response = await fetch(`/api/v1/outlines?refs=${encodeURIComponent(refs)}`);
    if (!response.ok) {
      return;
    }
    const style = { color: actionColour(), weight: 1.5, fillColor: actionColour(), fillOpacity: 0.14, interactive: false };
    L.geoJSON(await response.json(), { style }).addTo(map);
  } catch {
    // The list of towns stands under the map.
  }
}

if (typeof L !== "undefined") {
  document.querySelectorAll("[data-sheet-map], [data-territory]").forEach(draw);
}

try {
  const back = sessionStorage.getItem("repere:recherche");
  const link = document.querySelector("[data-back]");
  // A portal leads back to its own list only.
  if (back && link && back.split("?")[0] === link.pathname) {
    link.href = back;
    // The list then shows where it was read, and its map if that is what was looked at.
    link.addEventListener("click", () => sessionStorage.setItem("repere:retour", back));
  }
} catch {
  // Storage may be forbidden: the link leads to an empty search.
}

const copy = document.querySelector("[data-copy-link]");
copy?.addEventListener("click", async () => {
  const text = copy.querySelector("[data-copy-text]");
  const status = document.querySelector("[data-copy-status]");
  try {
    await navigator.clipboard.writeText(location.origin + location.pathname);
    text.textContent = "Lien copié";
    status.textContent = "Lien copié dans le presse-papiers";
  } catch {
    text.textContent = "Copie refusée : utilisez la barre d’adresse";
    status.textContent = text.textContent;
  }
});
document.querySelector("[data-print]")?.addEventListener("click", () => print());

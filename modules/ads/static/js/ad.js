// One ad: its towns and areas on a map, and the way back to the list it was found in.

/* global L */

const element = document.querySelector("[data-ad-map]");

async function draw() {
  const { actionColour, basemap, icon } = await import(element.dataset.maplib);
  const map = L.map(element, { maxZoom: 14, minZoom: 4, scrollWheelZoom: false, zoomControl: false });
  L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  map.setView([46.6, 2.5], 5);
  const bounds = L.latLngBounds([]);
  for (const { dataset, textContent } of document.querySelectorAll("[data-lat]")) {
    const at = L.latLng(Number(dataset.lat), Number(dataset.lon));
    bounds.extend(at);
    L.marker(at, { icon: icon("pin pin-rank", "", 20), title: textContent, interactive: false, keyboard: false }).addTo(map);
  }
  if (element.dataset.areas) {
    try {
      const response = await fetch(`/api/v1/outlines?refs=${encodeURIComponent(element.dataset.areas)}`);
      if (response.ok) {
        const style = { color: actionColour(), weight: 1.5, fillColor: actionColour(), fillOpacity: 0.14, interactive: false };
        const areas = L.geoJSON(await response.json(), { style }).addTo(map);
        if (areas.getLayers().length) {
          bounds.extend(areas.getBounds());
        }
      }
    } catch {
      // The places are written in the page.
    }
  }
  if (bounds.isValid()) {
    map.fitBounds(bounds, { padding: [24, 24], maxZoom: 11, animate: false });
  }
  basemap(map, element.dataset);
}

if (element && typeof L !== "undefined") {
  draw();
}

const back = document.querySelector("[data-back]");
const from = document.referrer ? new URL(document.referrer) : null;
if (back && from && from.origin === location.origin && from.pathname === back.pathname) {
  back.href = from.pathname + from.search;
}

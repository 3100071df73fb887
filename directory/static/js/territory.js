// The territory drawn as it grows: the contours of the communes chosen in the form, over those of their neighbours.

/* global L */

const CHUNK = 200;
const chosen = { color: "#0b5a60", weight: 1.5, fillColor: "#0b5a60", fillOpacity: 0.18, interactive: false };
const ground = { color: "#c3cdca", weight: 0.8, fillColor: "#fbfcfb", fillOpacity: 1, interactive: false };

function refs() {
  return [...document.querySelectorAll("input[type='hidden'][name='territory']")].map((input) => input.value);
}

async function outlines(address) {
  const response = await fetch(address);
  return response.ok ? response.json() : { features: [] };
}

function start(element) {
  const map = L.map(element, { minZoom: 4, maxZoom: 14, scrollWheelZoom: false, zoomControl: false });
  L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>').addAttribution("Contours IGN, Insee");
  const { lat, lon } = element.dataset;
  map.setView(lat ? [Number(lat), Number(lon)] : [46.6, 2.5], lat ? 10 : 5);
  const country = L.geoJSON(null, { style: ground }).addTo(map);
  const around = L.geoJSON(null, { style: ground }).addTo(map);
  const towns = L.geoJSON(null, { style: chosen }).addTo(map);
  let drawn = "";
  let serial = 0;

  async function neighbours() {
    if (map.getZoom() < 8) {
      around.clearLayers();
      return;
    }
    const shapes = await outlines(`/api/v1/outlines/communes?bbox=${map.getBounds().pad(0.1).toBBoxString()}`);
    country.bringToBack();
    around.clearLayers();
    around.addData(shapes);
    towns.bringToFront();
  }

  async function draw() {
    const wanted = refs();
    if (element.offsetWidth === 0 || wanted.join() === drawn) {
      return;
    }
    drawn = wanted.join();
    const mine = ++serial;
    const parts = [];
    for (let at = 0; at < wanted.length; at += CHUNK) {
      parts.push(outlines(`/api/v1/outlines?refs=${encodeURIComponent(wanted.slice(at, at + CHUNK).join(","))}`));
    }
    const shapes = await Promise.all(parts);
    if (mine !== serial) {
      return;
    }
    towns.clearLayers();
    shapes.forEach((part) => towns.addData(part));
    if (towns.getBounds().isValid()) {
      map.fitBounds(towns.getBounds(), { padding: [16, 16], animate: false });
    }
  }

  const quiet = (work) => () => {
    work().catch(() => {
      // The list of communes stands beside the map.
    });
  };
  map.on("moveend", quiet(neighbours));
  quiet(async () => country.addData(await outlines("/api/v1/outlines/departements")).bringToBack())();
  new ResizeObserver(() => {
    map.invalidateSize();
    quiet(draw)();
  }).observe(element);
  document.body.addEventListener("htmx:afterSettle", quiet(draw));
}

const element = document.getElementById("carte-territoire");
if (element && typeof L !== "undefined") {
  start(element);
}

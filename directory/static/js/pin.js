// The pin of a place: dragged, dropped by a touch, or moved by the address that is chosen; the fields follow.

/* global L */

const ground = { color: "#c3cdca", weight: 0.8, fillColor: "#fbfcfb", fillOpacity: 1, interactive: false };

function start(element) {
  const form = element.closest("form");
  const { lat: first, lon: firstLon } = element.dataset;
  const fields = { lat: form.elements.lat, lon: form.elements.lon };
  const map = L.map(element, { minZoom: 5, maxZoom: 18, scrollWheelZoom: false, zoomControl: false });
  L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>').addAttribution("Contours IGN, Insee");
  map.setView(first ? [Number(first), Number(firstLon)] : [46.6, 2.5], first ? 14 : 5);
  const icon = L.divIcon({ className: "pin-mark", iconSize: [28, 28], iconAnchor: [14, 14] });
  const pin = L.marker(map.getCenter(), { icon, draggable: true, keyboard: false, alt: "Le lieu" }).addTo(map);
  const around = L.geoJSON(null, { style: ground }).addTo(map);

  function write(point) {
    fields.lat.value = point.lat.toFixed(6);
    fields.lon.value = point.lng.toFixed(6);
    form.querySelector("input[name='choix'][value='carte']").checked = true;
  }

  function read() {
    const [lat, lon] = [fields.lat, fields.lon].map((field) => Number(field.value.replace(",", ".")));
    if (fields.lat.value && fields.lon.value && Math.abs(lat) <= 90 && Math.abs(lon) <= 180) {
      pin.setLatLng([lat, lon]);
      map.panTo([lat, lon]);
    }
  }

  pin.on("dragend", () => write(pin.getLatLng()));
  map.on("click", (event) => {
    pin.setLatLng(event.latlng);
    write(event.latlng);
  });
  fields.lat.addEventListener("change", read);
  fields.lon.addEventListener("change", read);
  form.addEventListener("change", (event) => {
    const { lat, lon } = event.target.dataset;
    if (event.target.name === "choix" && lat) {
      fields.lat.value = Number(lat).toFixed(6);
      fields.lon.value = Number(lon).toFixed(6);
      pin.setLatLng([Number(lat), Number(lon)]);
      map.setView([Number(lat), Number(lon)], 17);
    }
  });
  const neighbours = async () => {
    if (map.getZoom() < 9) {
      return;
    }
    const response = await fetch(`/api/v1/outlines/communes?bbox=${map.getBounds().pad(0.1).toBBoxString()}`);
    if (response.ok) {
      const shapes = await response.json();
      around.clearLayers();
      around.addData(shapes).bringToBack();
    }
  };
  map.on("moveend", () => neighbours().catch(() => {}));
  neighbours().catch(() => {});
  read();
}

const element = document.getElementById("carte-position");
if (element && typeof L !== "undefined") {
  start(element);
}

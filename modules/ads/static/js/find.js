// Search of ads: situations that follow the category, places that are suggested, list and map.

/* global L */

const number = new Intl.NumberFormat("fr-FR");
const AREA_DELAY_MS = 250;
const $ = (selector, root = document) => root.querySelector(selector);

// Form ---------------------------------------------------------------------------------------------------

const form = $("[data-find]");
const box = $("[data-find-box]");
// On a phone the answer comes first; the form is one press away.
if ("asked" in box.dataset && matchMedia("(max-width: 767.98px)").matches) {
  box.open = false;
}
const status = $("[data-status]", form);
const category = $("#category");
const side = $("#side");
const generic = new Map([...side.options].map((option) => [option.value, option.textContent]));
if (category.value) {
  generic.set("seeks", "Je me propose");
  generic.set("offers", "Je cherche quelqu’un");
}

category.addEventListener("change", () => {
  for (const option of side.options) {
    if (option.dataset.texts) {
      option.textContent = JSON.parse(option.dataset.texts)[category.value] ?? generic.get(option.value);
    }
  }
});

function addPlace(place) {
  const list = $("[data-places]", form);
  const known = [...list.querySelectorAll("input")].find((input) => input.value === place.ref);
  if (known) {
    known.checked = true;
    return;
  }
  const item = document.createElement("li");
  const label = document.createElement("label");
  label.className = "find-tick";
  const box = document.createElement("input");
  Object.assign(box, { className: "form-check-input", type: "checkbox", name: "place", value: place.ref, checked: true });
  const text = document.createElement("span");
  text.textContent = place.label;
  label.append(box, " ", text);
  item.append(label);
  list.append(item);
  status.textContent = `${place.label} ajouté aux lieux`;
}

async function suggestPlaces(text, signal) {
  const kinds = form.dataset.kinds.split(",").map((kind) => `&kind=${kind}`).join("");
  const response = await fetch(`/api/v1/places?q=${encodeURIComponent(text)}${kinds}`, { signal });
  if (!response.ok) {
    throw new Error(`HTTP ${response.status}`);
  }
  const places = await response.json();
  const items = places.map((place) => ({ text: place.label, detail: place.context, value: place }));
  return items.length ? [{ label: "", items }] : [];
}

import(form.dataset.combobox).then(({ combobox }) => {
  const input = $("#lieu");
  combobox(input, {
    status,
    empty: "Aucun lieu ne correspond.",
    load: suggestPlaces,
    choose: (item) => {
      addPlace(item.value);
      input.value = "";
      input.focus();
    },
  });
});

// An empty field says nothing: the address stays the one that people share.
form.addEventListener("submit", () => {
  const empty = [...form.elements].filter((field) => field.name && field.value === "" && !field.disabled);
  const kept = new Set();
  for (const period of form.querySelectorAll("[data-period]")) {
    const inputs = [...period.querySelectorAll("input")];
    if (inputs.some((input) => input.value)) {
      inputs.forEach((input) => kept.add(input));
    }
  }
  const dropped = empty.filter((field) => !kept.has(field));
  dropped.forEach((field) => (field.disabled = true));
  setTimeout(() => dropped.forEach((field) => (field.disabled = false)));
});

// List and map -------------------------------------------------------------------------------------------

const layout = $("[data-layout]");
const element = $("[data-map]");
let started = null;

function startOnce() {
  if (element && element.offsetParent !== null && typeof L !== "undefined") {
    started ??= startMap();
  }
}

for (const button of document.querySelectorAll("[data-tab]")) {
  button.addEventListener("click", () => {
    layout.classList.toggle("shows-map", button.dataset.tab === "carte");
    document.querySelectorAll("[data-tab]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    startOnce();
  });
}
addEventListener("resize", startOnce);
addEventListener("load", startOnce);

async function startMap() {
  const { basemap, icon } = await import(element.dataset.maplib);
  const said = $("[data-map-status]");
  const question = $("#resultats").dataset.question;
  const map = L.map(element, { maxZoom: 14, minZoom: 4, zoomSnap: 0.5, zoomControl: false, scrollWheelZoom: false });
  L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  const marks = L.layerGroup().addTo(map);
  let request = null;
  let timer = 0;
  let reading = false;

  async function ask(params) {
    request?.abort();
    request = new AbortController();
    const response = await fetch(`/api/v1/ads/map?${question}${question ? "&" : ""}${params}`, { signal: request.signal });
    if (!response.ok) {
      throw new Error(`HTTP ${response.status}`);
    }
    return response.json();
  }

  function pin(at, drawn, title) {
    const marker = L.marker(at, { icon: drawn, title, riseOnHover: true });
    marker.on("add", () => marker.getElement().setAttribute("aria-label", title));
    return marker;
  }

  function popup(properties) {
    const box = document.createElement("div");
    box.className = "map-popup";
    const heading = document.createElement("h3");
    heading.textContent = properties.label;
    const list = document.createElement("ul");
    for (const ad of properties.ads) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = ad.address;
      link.textContent = ad.title;
      item.append(link);
      list.append(item);
    }
    box.append(heading, list);
    if (properties.count > properties.ads.length) {
      const more = document.createElement("p");
      more.className = "soft";
      more.textContent = `et ${number.format(properties.count - properties.ads.length)} de plus : précisez la recherche pour les voir`;
      box.append(more);
    }
    return box;
  }

  function draw({ features, total }) {
    marks.clearLayers();
    said.textContent = total === 1 ? "1 annonce dans cette vue" : `${number.format(total)} annonces dans cette vue`;
    for (const { geometry, properties } of features) {
      const [lon, lat] = geometry.coordinates;
      const counted = `${number.format(properties.count)} ${properties.count < 2 ? "annonce" : "annonces"}`;
      if (properties.kind === "cluster") {
        const size = properties.count < 10 ? 30 : properties.count < 100 ? 36 : properties.count < 1000 ? 44 : 54;
        const [west, south, east, north] = properties.bounds;
        pin([lat, lon], icon("pin pin-cluster", number.format(properties.count), size), `${counted}, agrandir`)
          .on("click", () => map.fitBounds([[south, west], [north, east]], { padding: [30, 30] }))
          .addTo(marks);
      } else {
        const drawn = properties.count > 1 ? icon("pin pin-rank", number.format(properties.count), 28) : icon("pin pin-dot", "", 24);
        pin([lat, lon], drawn, `${counted}, ${properties.label}`)
          .bindPopup(() => popup(properties), { minWidth: 200, maxWidth: 280 })
          .addTo(marks);
      }
    }
  }

  async function load() {
    if (reading) {
      return;
    }
    if (!map.getSize().x || !map.getSize().y) {
      // The map is behind the list: it loads when it is shown.
      return;
    }
    const view = map.getBounds();
    const box = [Math.max(-180, view.getWest()), Math.max(-90, view.getSouth()), Math.min(180, view.getEast()), Math.min(90, view.getNorth())];
    try {
      draw(await ask(`view=${box.map((value) => value.toFixed(5))}&zoom=${Math.floor(map.getZoom())}`));
    } catch (error) {
      if (error.name !== "AbortError") {
        said.textContent = "La carte n’a pas pu tout charger ; la liste reste exacte.";
      }
    }
  }

  map.setView([46.6, 2.5], 5);
  try {
    const { bounds } = await ask("zoom=5");
    if (bounds) {
      const [west, south, east, north] = bounds;
      map.fitBounds([[south, west], [north, east]], { padding: [36, 36], maxZoom: 11, animate: false });
    }
  } catch {
    // The whole country is then shown.
  }
  basemap(map, element.dataset);
  function later() {
    clearTimeout(timer);
    timer = setTimeout(load, AREA_DELAY_MS);
  }
  // Opening a popup moves the map: drawing the marks again would take away what is being read.
  map.on("moveend", () => {
    if (!reading) {
      later();
    }
  });
  map.on("popupopen", () => (reading = true));
  map.on("popupclose", () => {
    reading = false;
    later();
  });
  map.on("zoomstart", () => map.closePopup());
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(element);
  load();
}
startOnce();

// Parts that every map of ours shares: basemap, pins, popups. Names reach the page as text, never as HTML.

/* global L */

const number = new Intl.NumberFormat("fr-FR");
const NAMES_FROM_ZOOM = 8;
const CONTOURS_FROM_ZOOM = 10;

/** The colour of actions, which a portal may choose. */
export function actionColour() {
  return getComputedStyle(document.documentElement).getPropertyValue("--action").trim();
}

/** Lays the basemap: the raster that the host chose, else the contours of our own location index. */
export function basemap(map, { tiles, tilesAttribution, centreLabel }) {
  if (tiles) {
    L.tileLayer(tiles, { maxZoom: 18, attribution: tilesAttribution }).addTo(map);
    return;
  }
  map.attributionControl.addAttribution("Contours IGN, Insee");
  map.createPane("contours").style.zIndex = 200;
  map.createPane("names").style.zIndex = 450;
  map.getPane("names").style.pointerEvents = "none";
  const land = { pane: "contours", interactive: false, weight: 1.2, color: "#a8b5b1", fillColor: "#fbfcfb", fillOpacity: 1 };
  const commune = { pane: "contours", interactive: false, weight: 0.7, color: "#cfd8d5", fill: false };
  const departements = L.geoJSON(null, { style: land }).addTo(map);
  const communes = L.geoJSON(null, { style: commune }).addTo(map);
  const names = L.layerGroup().addTo(map);
  let request = null;
  let covered = null;

  /** Draws the départements of the view and around it; a view inside what was drawn needs nothing. */
  async function country() {
    const view = map.getBounds();
    if (covered?.contains(view)) {
      return;
    }
    const wide = view.pad(1);
    // Whole degrees: neighbouring views ask for the same address, which the browser keeps.
    const box = [
      Math.max(-180, Math.floor(wide.getWest())),
      Math.max(-90, Math.floor(wide.getSouth())),
      Math.min(180, Math.ceil(wide.getEast())),
      Math.min(90, Math.ceil(wide.getNorth())),
    ];
    const asked = L.latLngBounds([box[1], box[0]], [box[3], box[2]]);
    covered = asked;
    try {
      const response = await fetch(`/api/v1/outlines/departements?bbox=${box}`);
      if (!response.ok) {
        throw new Error(String(response.status));
      }
      const shapes = await response.json();
      if (covered === asked) {
        departements.clearLayers();
        departements.addData(shapes);
        departements.bringToBack();
      }
    } catch {
      // The map stays useful without its background: pins, scale and zoom do not need it.
      covered = covered === asked ? null : covered;
    }
  }

  async function detail() {
    request?.abort();
    if (!map.getSize().x || !map.getSize().y) {
      // A map that is not shown has nothing around it.
      return;
    }
    if (map.getZoom() < NAMES_FROM_ZOOM) {
      communes.clearLayers();
      names.clearLayers();
      return;
    }
    request = new AbortController();
    const box = map.getBounds().pad(0.2).toBBoxString();
    try {
      const response = await fetch(`/api/v1/outlines/communes?bbox=${box}`, { signal: request.signal });
      if (!response.ok) {
        return;
      }
      const shapes = await response.json();
      communes.clearLayers();
      if (map.getZoom() >= CONTOURS_FROM_ZOOM) {
        communes.addData(shapes);
      }
      names.clearLayers();
      nameTowns(map, names, shapes.features.filter((feature) => feature.properties.name !== centreLabel));
    } catch {
      // The contours are a background: the map stays useful without them.
    }
  }
  map.on("moveend", country);
  map.on("moveend", detail);
  country();
  detail();
}

/** Writes the names of the most populated towns, none over another. */
function nameTowns(map, layer, features) {
  const taken = [];
  // The most populated come first in the answer.
  for (const { properties } of features) {
    const { name, lat, lon } = properties;
    if (lat === null) {
      continue;
    }
    const at = L.latLng(lat, lon);
    const point = map.latLngToContainerPoint(at);
    const half = name.length * 3.6;
    const box = [point.x - half - 8, point.y - 12, point.x + half + 8, point.y + 12];
    if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) {
      continue;
    }
    taken.push(box);
    L.marker(at, {
      pane: "names",
      interactive: false,
      keyboard: false,
      icon: L.divIcon({ className: "map-name", html: text(name), iconSize: [half * 2, 16] }),
    }).addTo(layer);
    if (taken.length >= 40) {
      break;
    }
  }
}

function text(value) {
  const span = document.createElement("span");
  span.textContent = value;
  return span;
}

/** A round pin drawn by the style sheet. */
export function icon(className, label, size) {
  return L.divIcon({ className, html: text(label), iconSize: [size, size], popupAnchor: [0, -size / 2] });
}

/** The pin of sites that are known by their town only. */
export function townIcon(count) {
  const label = `≈ ${number.format(count)}`;
  return L.divIcon({ className: "pin pin-town", html: text(label), iconSize: [18 + label.length * 7, 24] });
}

function line(parent, tag, value, className = "") {
  const element = document.createElement(tag);
  element.textContent = value;
  element.className = className;
  parent.append(element);
  return element;
}

function link(site, label, base) {
  const element = document.createElement("a");
  element.href = base + site.url;
  element.textContent = label;
  return element;
}

/** Summary of one site, or the list of those that share a position; `base` stands before the addresses of sheets. */
export function popupFor(sites, approximate, count = sites.length, base = "") {
  const box = document.createElement("div");
  box.className = "map-popup";
  if (sites.length === 1) {
    const [site] = sites;
    line(box, "h3", site.name);
    if (site.where) {
      line(box, "p", site.distance ? `${site.where} · ${site.distance}` : site.where, "soft");
    }
    for (const label of site.labels ?? []) {
      line(box, "p", label);
    }
  } else {
    line(box, "h3", `${number.format(count)} sites`);
    const list = document.createElement("ul");
    for (const site of sites) {
      const item = document.createElement("li");
      item.append(link(site, site.name, base));
      list.append(item);
    }
    box.append(list);
    if (count > sites.length) {
      line(box, "p", `et ${number.format(count - sites.length)} autres : précisez la recherche pour les voir`, "soft");
    }
  }
  if (approximate) {
    line(box, "p", "Position approximative : seule la commune est connue.", "soft");
  }
  if (sites.length === 1) {
    const action = line(box, "p", "");
    action.append(link(sites[0], "Ouvrir la fiche", base));
    if (!sites[0].labels) {
      describe(sites[0], box, action);
    }
  }
  return box;
}

/** Adds to the summary of a pin outside the list what its sheet says. */
async function describe(site, box, before) {
  try {
    const response = await fetch(`/api/v1${site.url.split("?")[0]}`);
    if (!response.ok) {
      return;
    }
    const sheet = await response.json();
    const lines = [sheet.category?.label ?? sheet.kind_label, sheet.address.lines.join(", ")];
    const offers = sheet.offers.slice(0, 3).map((offer) => offer.name);
    for (const value of [...lines, ...offers].filter(Boolean)) {
      const element = document.createElement("p");
      element.textContent = value;
      box.insertBefore(element, before);
    }
  } catch {
    // The link to the sheet is already there.
  }
}

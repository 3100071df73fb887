// Coverage of a territory: suggestions of the question, progress of the work, map of the report.

/* global L */

import { combobox } from "./combobox.js";
import { basemap } from "./maplib.js";

const number = new Intl.NumberFormat("fr-FR");
const POLL_MS = 2000;
const SLOW_MS = 10000;
const CANVAS_FROM = 3000;

async function json(address, signal) {
  const response = await fetch(address, { signal, headers: { Accept: "application/json" } });
  if (!response.ok) {
    throw new Error(`HTTP ${response.status}`);
  }
  return response.json();
}

/* The question */

function hidden(form, name, value) {
  form.querySelectorAll(`input[type="hidden"][name="${name}"]`).forEach((element) => element.remove());
  if (value !== undefined) {
    const element = document.createElement("input");
    element.type = "hidden";
    element.name = name;
    element.value = value;
    form.append(element);
  }
}

function startForm(form) {
  const status = form.querySelector("[data-status]");
  const what = form.querySelector('[data-combobox="what"]');
  const where = form.querySelector('[data-combobox="where"]');

  combobox(what, {
    status,
    empty: "Aucune suggestion ; votre texte sera lu comme par la recherche.",
    load: async (text, signal) => {
      const groups = await json(`/api/v1/suggest?q=${encodeURIComponent(text)}`, signal);
      return groups
        .map((group) => ({
          label: group.label,
          // Only what has a code can be measured: a person or an establishment is a sheet to open.
          items: group.items
            .filter((item) => item.code)
            .map((item) => ({
              text: item.label,
              detail: item.detail ?? "",
              count: item.count === null ? "" : `${number.format(item.count)} ${item.count < 2 ? "offre" : "offres"}`,
              value: item,
            })),
        }))
        .filter((group) => group.items.length);
    },
    choose: (item) => {
      what.value = item.text;
      hidden(form, "code", item.value.code);
      hidden(form, "code_label", item.text);
      where.focus();
    },
  });

  combobox(where, {
    status,
    empty: "Aucun territoire ne correspond.",
    load: async (text, signal) => {
      const places = await json(`/api/v1/coverage/territories?q=${encodeURIComponent(text)}`, signal);
      const items = places.map((place) => ({ text: place.label, detail: place.context, value: place }));
      return items.length ? [{ label: "", items }] : [];
    },
    choose: (item) => {
      where.value = item.value.label;
      hidden(form, "where", item.value.ref);
      hidden(form, "where_label", item.value.label);
      form.querySelector('button[type="submit"]').focus();
    },
  });

  form.addEventListener("submit", (event) => {
    // A second press while the first one is answered changes nothing, and says nothing.
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    status.textContent = "Le rapport est en cours d’établissement…";
  });
  addEventListener("pageshow", () => delete form.dataset.sent);
}

/* The work in progress */

function follow(section) {
  const bar = section.querySelector("progress");
  const message = section.querySelector("[data-message]");
  const state = section.querySelector("[data-state]");
  let failures = 0;

  function say(text) {
    // The same sentence again would be read aloud again.
    if (message.textContent !== text) {
      message.textContent = text;
    }
  }

  async function look() {
    let wait = POLL_MS;
    try {
      const report = await json(section.dataset.coverageWait);
      failures = 0;
      if (report.state === "ready" || report.state === "failed") {
        location.reload();
        return;
      }
      bar.value = report.progress;
      state.textContent = report.state_label;
      // Every tenth is enough to hear that it moves.
      const heard = Math.floor(report.progress / 10) * 10;
      say(report.stalled || report.state === "asked" ? report.message : `Calcul en cours : ${heard} %.`);
      wait = report.stalled ? SLOW_MS : POLL_MS;
    } catch {
      failures += 1;
      wait = SLOW_MS;
      say(`Le site ne répond pas ; nouvel essai dans 10 secondes (${failures}).`);
    }
    setTimeout(look, wait);
  }
  setTimeout(look, POLL_MS);
}

/* The map of the report */

function line(list, term, value) {
  const name = document.createElement("dt");
  name.textContent = term;
  const text = document.createElement("dd");
  text.textContent = value;
  list.append(name, text);
}

function distance(metres) {
  if (metres < 995) {
    return `${Math.round(metres / 10) * 10} m`;
  }
  const kilometres = metres / 1000;
  const digits = kilometres < 9.95 ? 1 : 0;
  return `${kilometres.toLocaleString("fr-FR", { minimumFractionDigits: digits, maximumFractionDigits: digits })} km`;
}

function tip(shape) {
  const { name, code, population, offers, offers_per_10000, nearest_m, nearest_approximate, visited } =
    shape.feature.properties;
  const box = document.createElement("div");
  box.className = "coverage-tip";
  const title = document.createElement("strong");
  title.textContent = `${name} (${code})`;
  const list = document.createElement("dl");
  line(list, "Offres", number.format(offers));
  line(list, "Habitants", population ? number.format(population) : "non connu");
  if (offers_per_10000 !== null) {
    line(list, "Pour 10 000 hab.", offers_per_10000.toLocaleString("fr-FR", { maximumFractionDigits: 2 }));
  }
  if (nearest_m !== null) {
    line(list, "La plus proche", `${nearest_approximate ? "≈ " : ""}${distance(nearest_m)}`);
  }
  line(list, "Visites à domicile", visited ? "oui" : "non déclarées");
  box.append(title, list);
  return box;
}

function legend(host, measure, unknown) {
  const title = document.createElement("h3");
  title.textContent = measure.title;
  const list = document.createElement("ul");
  for (const { label, fill, ink } of [...measure.classes, { label: "Non connu", fill: unknown, ink: "#15211f" }]) {
    const item = document.createElement("li");
    item.textContent = label;
    item.style.backgroundColor = fill;
    item.style.color = ink;
    list.append(item);
  }
  host.replaceChildren(title, list);
}

/** Where a map opens: on everything, but of a country on its mainland. */
function home(layer) {
  const all = layer.getLayers();
  const mainland = all.filter(({ feature }) => !/^9[78]/.test(feature.properties.departement));
  const bounds = L.latLngBounds([]);
  for (const shape of mainland.length ? mainland : all) {
    bounds.extend(shape.getBounds ? shape.getBounds() : shape.getLatLng());
  }
  return bounds;
}

async function draw(element) {
  const host = document.querySelector("[data-legend]");
  let data;
  try {
    data = await json(element.dataset.coverageMap);
  } catch {
    host.textContent = "La carte n’a pas pu être chargée ; le tableau donne les mêmes chiffres.";
    return;
  }
  const map = L.map(element, {
    maxZoom: 16,
    minZoom: 3,
    scrollWheelZoom: false,
    zoomControl: false,
    preferCanvas: data.features.length > CANVAS_FROM,
  });
  L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  const tiles = element.dataset.tiles;
  const dense = data.features.length > CANVAS_FROM;
  let measure = null;

  const style = (feature) => {
    const rank = feature.properties.classes[measure.key];
    const fill = rank < 0 ? element.dataset.unknown : measure.classes[rank].fill;
    // Of a whole country, borders would hide what they surround: each shape is edged with its own colour.
    return {
      color: dense ? fill : "#5d6d6a",
      weight: dense ? 0.8 : 0.6,
      opacity: 1,
      fillColor: fill,
      fillOpacity: tiles ? 0.75 : 1,
    };
  };

  function show(key) {
    measure = data.measures.find((one) => one.key === key) ?? data.measures[0];
    legend(host, measure, element.dataset.unknown);
  }

  const links = document.querySelectorAll("[data-measure]");
  show([...links].find((link) => link.hasAttribute("aria-current"))?.dataset.measure);
  const layer = L.geoJSON(data, { style, pointToLayer: (_, at) => L.circleMarker(at, { radius: 7 }) });
  layer.bindTooltip(tip, { sticky: true });
  layer.bindPopup(tip);
  const bounds = home(layer);
  if (bounds.isValid()) {
    map.fitBounds(bounds, { padding: [12, 12], animate: false });
  } else {
    map.setView([46.6, 2.5], 5);
  }
  basemap(map, element.dataset);
  layer.addTo(map);

  for (const link of links) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      show(link.dataset.measure);
      layer.setStyle(style);
      links.forEach((other) => other.removeAttribute("aria-current"));
      link.setAttribute("aria-current", "true");
      history.replaceState(null, "", link.href.split("#")[0]);
    });
  }
}

document.querySelectorAll("[data-coverage-form]").forEach(startForm);
document.querySelectorAll("[data-coverage-wait]").forEach(follow);
if (typeof L !== "undefined") {
  document.querySelectorAll("[data-coverage-map]").forEach(draw);
}

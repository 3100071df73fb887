// Map of the results: numbered pins for the page, server-made clusters for the rest, our own contours underneath.

/* global L */

import { actionColour, basemap, icon, popupFor, townIcon } from "./maplib.js";
import { marksOf, separate } from "./marks.js";

const number = new Intl.NumberFormat("fr-FR");
const AREA_DELAY_MS = 250;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const PIN = 28;
const DOT = 24;

/** A marker whose name assistive tools read. */
function pin(at, drawn, title, options = {}) {
  const marker = L.marker(at, { icon: drawn, title, ...options });
  marker.on("add", () => marker.getElement().setAttribute("aria-label", title));
  return marker;
}

export async function startMap(element) {
  if (!element || typeof L === "undefined") {
    return { refresh() {}, resized() {} };
  }
  const map = L.map(element, { maxZoom: 18, minZoom: 4, zoomSnap: 0.5, zoomControl: false, worldCopyJump: false });
  L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  map.setView([46.6, 2.5], 6);

  // Under the pins: the name of the chosen place must not hide a result.
  map.createPane("centre").style.zIndex = 590;
  const page = L.layerGroup().addTo(map);
  const rest = L.layerGroup().addTo(map);
  const frame = L.layerGroup().addTo(map);
  const shapes = L.layerGroup().addTo(map);
  // Before the addresses of sheets: empty in the directory itself, that of the portal in a portal.
  const base = element.dataset.base ?? "";
  const status = document.querySelector("[data-map-status]");
  const here = document.querySelector("[data-map-here]");
  let pins = new Map();
  let placedPins = [];
  let shown = new Set();
  let request = null;
  let timer = 0;
  let placed = false;
  let moving = true;
  let laid = false;
  let making = false;
  let opened = null;
  let stale = false;

  let limits = null;

  const results = () => document.getElementById("resultats");
  const centre = () =>
    element.dataset.centreLat ? L.latLng(Number(element.dataset.centreLat), Number(element.dataset.centreLon)) : null;

  /** Room for a popup: beside the buttons of the map, or under them where the map is narrow. */
  function popupOptions() {
    const width = element.clientWidth;
    return {
      minWidth: 220,
      maxWidth: Math.min(300, width - 64),
      autoPanPaddingTopLeft: width < 440 ? [10, 92] : [56, 62],
      autoPanPaddingBottomRight: [10, 10],
    };
  }

  function drawPage() {
    page.clearLayers();
    pins = new Map();
    shown = new Set();
    placedPins = [];
    const groups = [];
    for (const card of results().querySelectorAll(".result")) {
      shown.add(card.dataset.site);
      if (card.dataset.lat === undefined) {
        continue;
      }
      const at = L.latLng(Number(card.dataset.lat), Number(card.dataset.lon));
      const point = map.project(at);
      // Pins that would cover one another are one pin with a list.
      const near = groups.find((group) => group.point.distanceTo(point) < PIN);
      if (near) {
        near.cards.push(card);
      } else {
        groups.push({ at, point, cards: [card] });
      }
    }
    for (const { at, point, cards } of groups) {
      const [first] = cards;
      const approximate = cards.every((card) => "approximate" in card.dataset);
      const names = cards.map((card) => card.querySelector(".result-link").textContent);
      const title = cards.length === 1 ? `${first.dataset.rank}. ${names[0]}` : `${first.dataset.rank}+ : ${cards.length} résultats proches, ${names.slice(0, 3).join(", ")}`;
      const label = cards.length === 1 ? first.dataset.rank : `${first.dataset.rank}+`;
      const marker = pin(at, icon(`pin pin-rank${approximate ? " pin-approximate" : ""}${label.length > 2 ? " pin-long" : ""}`, label, PIN), title, {
        zIndexOffset: 1000 - Number(first.dataset.rank),
        riseOnHover: true,
      });
      marker.bindPopup(() => popupFor(cards.map(cardSite), approximate), popupOptions());
      const light = (lit) => cards.forEach((card) => card.classList.toggle("is-lit", lit));
      marker.on("mouseover focus", () => light(true));
      marker.on("mouseout blur popupclose", () => light(marker.isPopupOpen()));
      marker.on("popupopen", () => {
        light(true);
        first.scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
      });
      marker.addTo(page);
      placedPins.push({ point, radius: PIN / 2 });
      cards.forEach((card) => pins.set(card.dataset.site, marker));
    }
  }

  function drawFrame() {
    frame.clearLayers();
    const point = centre();
    if (!point) {
      return;
    }
    const mark = { icon: icon("pin pin-centre", "", 18), interactive: false, keyboard: false, zIndexOffset: -100 };
    L.marker(point, mark)
      .bindTooltip(element.dataset.centreLabel, { permanent: true, direction: "top", offset: [0, -10], className: "map-centre", pane: "centre" })
      .addTo(frame);
    const radius = Number(results().dataset.radius);
    if (radius) {
      L.circle(point, { radius: radius * 1000, color: actionColour(), weight: 1.5, fill: false, interactive: false }).addTo(frame);
    }
  }

  function cardSite(card) {
    const link = card.querySelector(".result-link");
    return {
      name: link.textContent,
      url: link.getAttribute("href"),
      where: card.querySelector(".result-where").textContent.trim(),
      distance: card.querySelector(".result-distance strong")?.textContent ?? "",
      labels: [...card.querySelectorAll(".card-labels")].slice(0, 2).map((line) => line.textContent.trim()),
    };
  }

  function fit() {
    const { bbox, radius } = results().dataset;
    let bounds = null;
    if (limits && !bbox) {
      bounds = limits;
    } else if (bbox) {
      const [west, south, east, north] = bbox.split(",").map(Number);
      bounds = L.latLngBounds([south, west], [north, east]);
    } else {
      const points = [...results().querySelectorAll(".result[data-lat]")].map((card) =>
        L.latLng(Number(card.dataset.lat), Number(card.dataset.lon)),
      );
      const point = centre();
      if (point && points.length === 0 && radius) {
        points.push(...[point.toBounds(radius * 2000).getNorthWest(), point.toBounds(radius * 2000).getSouthEast()]);
      }
      if (point) {
        points.push(point);
      }
      bounds = points.length ? L.latLngBounds(points) : null;
    }
    if (bounds) {
      moving = true;
      // A narrow map has a button at its foot too.
      const foot = element.clientWidth < 440 ? 90 : 56;
      map.fitBounds(bounds, { paddingTopLeft: [56, 56], paddingBottomRight: [40, foot], maxZoom: bbox ? 18 : 14, animate: false });
      moving = false;
    } else {
      moving = false;
    }
    placed = true;
  }

  async function loadArea() {
    const query = results().dataset.query;
    stale = false;
    // Behind the list of a phone, or about to be laid out: once it is seen, the map moves and asks.
    if (element.offsetParent === null || element.clientWidth === 0 || element.clientHeight === 0) {
      return;
    }
    request?.abort();
    if (!query || results().querySelector(".result") === null) {
      rest.clearLayers();
      status.textContent = "";
      return;
    }
    request = new AbortController();
    const view = map.getBounds();
    const box = [
      Math.max(-180, view.getWest()),
      Math.max(-90, view.getSouth()),
      Math.min(180, view.getEast()),
      Math.min(90, view.getNorth()),
    ].map((value) => value.toFixed(5));
    const params = new URLSearchParams(query);
    params.set("view", box.join(","));
    params.set("zoom", String(Math.max(0, Math.min(19, Math.floor(map.getZoom())))));
    try {
      const response = await fetch(`/api/v1/map?${params}`, { signal: request.signal });
      if (!response.ok) {
        throw new Error(`HTTP ${response.status}`);
      }
      drawArea(await response.json());
    } catch (error) {
      if (error.name !== "AbortError") {
        status.textContent = "La carte n’a pas pu tout charger ; la liste reste exacte.";
      }
    }
  }

  function drawArea(answer) {
    rest.clearLayers();
    const inside = answer.total;
    status.textContent = inside === 1 ? "1 site dans cette vue" : `${number.format(inside)} sites dans cette vue`;
    for (const mark of separate(marksOf(map, answer.features, results(), shown), placedPins, hiddenFrom())) {
      const at = map.unproject(mark.point);
      const counted = `${number.format(mark.count)} ${mark.count < 2 ? "site" : "sites"}`;
      if (mark.cluster) {
        const marker = pin(at, icon("pin pin-cluster", number.format(mark.count), mark.radius * 2), `${counted}${mark.others ? " de plus" : ""}, agrandir`);
        marker.on("click", () => {
          if (mark.bounds.getNorthEast().equals(mark.bounds.getSouthWest())) {
            map.setView(mark.bounds.getCenter(), Math.min(18, map.getZoom() + 2));
          } else {
            map.fitBounds(mark.bounds, { padding: [30, 30], maxZoom: 18 });
          }
        });
        marker.addTo(rest);
      } else {
        const drawn = mark.town ? townIcon(mark.count) : icon("pin pin-dot", "", DOT);
        pin(at, drawn, mark.town ? `≈ ${counted}, ${mark.label}` : mark.label)
          .bindPopup(() => popupFor(mark.sites, mark.town, mark.count, base), popupOptions())
          .addTo(rest);
      }
    }
  }

  /** Tells which marks would be cut by the frame or lie under a control, where nobody could press them. */
  function hiddenFrom() {
    const outer = element.getBoundingClientRect();
    const controls = [...element.parentElement.querySelectorAll(".leaflet-control, [data-map-status], [data-map-here], [data-filters-open]")]
      .map((control) => control.getBoundingClientRect())
      .filter((box) => box.width > 0)
      .map((box) => [box.left - outer.left, box.top - outer.top, box.right - outer.left, box.bottom - outer.top]);
    const origin = map.getPixelBounds().min;
    return ({ point, radius }) => {
      const { x, y } = point.subtract(origin);
      const cut = x < radius || y < radius || x > outer.width - radius || y > outer.height - radius;
      return cut || controls.some((box) => x > box[0] - radius && x < box[2] + radius && y > box[1] - radius && y < box[3] + radius);
    };
  }

  map.on("zoomend", () => {
    // The move of `fit` is followed by a drawing of its own.
    if (!moving) {
      drawPage();
    }
  });
  // A popup that makes room for itself moves the map too: nobody asked for another zone, and drawing it again would
  // take away the mark that the popup belongs to.
  map.on("autopanstart", () => {
    making = true;
  });
  map.on("popupopen", ({ popup }) => {
    opened = popup;
  });
  map.on("popupclose", ({ popup }) => {
    if (opened === popup) {
      opened = null;
    }
    if (stale) {
      clearTimeout(timer);
      timer = setTimeout(() => opened || loadArea(), AREA_DELAY_MS);
    }
  });
  map.on("moveend", () => {
    if (making) {
      making = false;
      stale = true;
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(loadArea, AREA_DELAY_MS);
    if (placed && !moving) {
      here.hidden = false;
    }
  });
  here.addEventListener("click", () => {
    const view = map.getBounds();
    const params = new URLSearchParams(base ? location.search : results().dataset.query);
    params.delete("page");
    params.delete("radius_km");
    params.set(
      "bbox",
      [view.getWest(), view.getSouth(), view.getEast(), view.getNorth()].map((value) => value.toFixed(5)).join(","),
    );
    location.assign(`${base || "/recherche"}?${params}`);
  });

  /** Shows the shapes that another script of the page left on the element, perhaps before this one began. */
  function drawShapes() {
    shapes.clearLayers();
    const drawn = L.featureGroup();
    for (const { name, geojson } of element.repereShapes ?? []) {
      const style = { color: actionColour(), weight: 1.5, fillColor: actionColour(), fillOpacity: 0.14 };
      const label = document.createElement("span");
      label.textContent = name;
      L.geoJSON(geojson, { style }).bindTooltip(label, { sticky: true }).addTo(drawn);
    }
    drawn.addTo(shapes);
    if (drawn.getBounds().isValid()) {
      map.fitBounds(drawn.getBounds(), { padding: [24, 24], maxZoom: 13, animate: false });
    }
  }
  element.addEventListener("repere:shapes", drawShapes);

  // Cards light their pin.
  for (const [name, lit] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(name, (event) => {
      const card = event.target instanceof Element ? event.target.closest(".result") : null;
      const pin = card ? pins.get(card.dataset.site)?.getElement() : null;
      if (card) {
        card.classList.toggle("is-lit", lit);
        pin?.classList.toggle("is-lit", lit);
      }
    });
  }

  function refresh() {
    fit();
    here.hidden = true;
    // The move that this made asks for nothing of its own.
    clearTimeout(timer);
    // Asked before the pins are drawn: the answer is on its way meanwhile.
    loadArea();
    drawFrame();
    drawPage();
    if (!laid) {
      // Results first; and a map that nobody opens needs no background.
      laid = true;
      basemap(map, element.dataset);
    }
  }

  /** Draws the limits of the département, région or territory asked for, and shows the whole of it. */
  async function drawLimits(refs) {
    try {
      const response = await fetch(`/api/v1/outlines?refs=${encodeURIComponent(refs)}`);
      if (!response.ok) {
        return;
      }
      const style = { color: actionColour(), weight: 2, fill: false, interactive: false };
      const layer = L.geoJSON(await response.json(), { style });
      if (layer.getLayers().length) {
        layer.addTo(map);
        limits = layer.getBounds();
      }
    } catch {
      // The map then shows the results of the page.
    }
  }

  if (element.dataset.boundary) {
    await drawLimits(element.dataset.boundary);
  }
  if (element.offsetParent !== null) {
    refresh();
  }
  drawShapes();
  return {
    refresh() {
      placed = false;
      if (element.offsetParent !== null) {
        refresh();
      }
    },
    resized() {
      if (element.offsetParent === null) {
        return;
      }
      map.invalidateSize({ animate: false });
      if (!placed) {
        refresh();
      }
    },
  };
}

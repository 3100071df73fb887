// Results page: filters that apply at once, the sheet of filters and the two tabs of a narrow screen.

import { comingBack } from "./coming-back.js";
import { startFilters } from "./filters.js";
import { startMap } from "./map.js";

const SKELETON_MS = 300;
const narrow = matchMedia("(max-width: 767.98px)");
const sheetWidth = matchMedia("(max-width: 1139.98px)");
const $ = (selector, root = document) => root.querySelector(selector);

const form = $("[data-filters]");
const panel = $("#filtres");
let map = { refresh() {}, resized() {} };
startMap($("[data-map]")).then((started) => {
  map = started;
  // The person may have opened the tab while the limits were on their way.
  map.resized();
});

// Filters ------------------------------------------------------------------------------------------------

const filters = startFilters(form, $("[data-map]"));
form.addEventListener("submit", (event) => {
  if (panel.classList.contains("is-open")) {
    event.preventDefault();
    closeSheet();
  }
});

// What the person unfolded stays unfolded when the counts are drawn again.
let unfolded = [];
let waiting = 0;

document.body.addEventListener("htmx:beforeRequest", () => {
  unfolded = [...form.querySelectorAll("details[open]")].map((element) => element.id);
  $(".results-failed").hidden = true;
  clearTimeout(waiting);
  waiting = setTimeout(() => $("#resultats").classList.add("is-waiting"), SKELETON_MS);
  $("#resultats").setAttribute("aria-busy", "true");
});
document.body.addEventListener("htmx:afterRequest", () => {
  clearTimeout(waiting);
  $("#resultats").classList.remove("is-waiting");
  $("#resultats").removeAttribute("aria-busy");
});
document.body.addEventListener("htmx:oobAfterSwap", () => {
  for (const id of unfolded) {
    document.getElementById(id)?.setAttribute("open", "");
  }
});
document.body.addEventListener("htmx:afterSettle", ({ target }) => {
  // Each part that was drawn again says so.
  if (target.id !== "resultats") {
    return;
  }
  filters.drawn();
  countFilters();
  map.refresh();
  const summary = $("#resultats").dataset.summary;
  $(".search-summary-text").textContent = summary;
});
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.body.addEventListener(name, () => {
    const failed = $(".results-failed");
    $("[data-failed-text]").textContent = navigator.onLine
      ? "La recherche n’a pas abouti. Vos filtres sont gardés : réessayez."
      : "Vous êtes hors connexion. Vos filtres sont gardés : réessayez une fois la connexion revenue.";
    failed.hidden = false;
  });
}
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-retry]")) {
    filters.apply();
  }
  for (const menu of document.querySelectorAll("details.menu[open], details.site-menu[open]")) {
    if (!menu.contains(event.target) || event.target.closest("a[download]")) {
      menu.open = false;
    }
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") {
    return;
  }
  const menu = $("details.menu[open], details.site-menu[open]");
  if (menu) {
    menu.open = false;
    $("summary", menu).focus();
  } else if (panel.classList.contains("is-open")) {
    closeSheet();
  }
});

// Sheet of filters ---------------------------------------------------------------------------------------

function openSheet() {
  panel.classList.add("is-open");
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-modal", "true");
  document.body.classList.add("has-sheet");
  $("#filtres-titre").focus();
}

function closeSheet() {
  panel.classList.remove("is-open");
  panel.removeAttribute("role");
  panel.removeAttribute("aria-modal");
  document.body.classList.remove("has-sheet");
  [...document.querySelectorAll("[data-filters-open]")].find((link) => link.offsetParent !== null)?.focus();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-filters-open]")) {
    event.preventDefault();
    openSheet();
  } else if (event.target.closest("[data-filters-close]")) {
    event.preventDefault();
    closeSheet();
  }
});
panel.addEventListener("keydown", (event) => {
  if (event.key !== "Tab" || !panel.classList.contains("is-open")) {
    return;
  }
  const stops = [...panel.querySelectorAll("a[href], button, input, select, summary")].filter(
    (element) => element.offsetParent !== null && element.type !== "hidden",
  );
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement === edge || (event.shiftKey && document.activeElement.id === "filtres-titre")) {
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0]).focus();
  }
});
sheetWidth.addEventListener("change", () => {
  if (!sheetWidth.matches && panel.classList.contains("is-open")) {
    closeSheet();
  }
});

// Tabs of a narrow screen --------------------------------------------------------------------------------

let listScroll = 0;

function showsMap() {
  return document.body.classList.contains("shows-map");
}

function showTab(name) {
  const wasMap = showsMap();
  if (name === "carte" && !wasMap) {
    listScroll = scrollY;
  }
  document.body.classList.toggle("shows-map", name === "carte");
  for (const button of document.querySelectorAll("[data-tab]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tab === name));
  }
  if (name === "carte") {
    scrollTo({ top: 0, behavior: "instant" });
    map.resized();
  } else if (wasMap) {
    scrollTo({ top: listScroll, behavior: "instant" });
  }
}

for (const button of document.querySelectorAll("[data-tab]")) {
  button.addEventListener("click", () => showTab(button.dataset.tab));
}
narrow.addEventListener("change", () => {
  if (!narrow.matches) {
    showTab("liste");
    map.resized();
  }
});

comingBack(
  () => ({ map: showsMap(), y: Math.round(showsMap() ? listScroll : scrollY) }),
  ({ map: tab, y, led }) => {
    if (led) {
      // The browser itself goes back to where a page of its history was read.
      scrollTo({ top: y, behavior: "instant" });
    }
    if (tab && narrow.matches) {
      showTab("carte");
      listScroll = y;
    }
  },
);

/** The way to the filters over the map counts them like that over the list, which is drawn again. */
function countFilters() {
  const link = $(".map-filters");
  link?.replaceChildren(...$("#resultats [data-filters-open]").cloneNode(true).childNodes);
}

// Search bar of a narrow screen --------------------------------------------------------------------------

const summary = $("[data-search-summary]");

function openBar(open) {
  $("#recherche-barre").classList.toggle("is-open", open);
  summary.setAttribute("aria-expanded", String(open));
}

summary.addEventListener("click", () => {
  const open = summary.getAttribute("aria-expanded") !== "true";
  openBar(open);
  if (open) {
    $("#q").focus();
  }
});
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  const field = link?.hash.length > 1 ? document.getElementById(link.hash.slice(1)) : null;
  if (!field?.matches("input, select")) {
    return;
  }
  // What leads to a field opens what holds it on a narrow screen.
  event.preventDefault();
  if (form.contains(field)) {
    if (sheetWidth.matches) {
      openSheet();
    }
  } else {
    openBar(true);
  }
  field.focus();
});

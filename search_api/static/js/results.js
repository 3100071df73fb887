// Results page: filters that apply at once, the sheet of filters and the two tabs of a narrow screen.

import { combobox } from "./combobox.js";
import { startMap } from "./map.js";
import { placeLoader } from "./searchbox.js";

const SKELETON_MS = 300;
const TYPING_MS = 600;
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

let typing = 0;

function apply() {
  clearTimeout(typing);
  form.dispatchEvent(new CustomEvent("repere:filter"));
}

form.addEventListener("change", (event) => {
  if (!event.target.matches("[data-facet-search], [data-combobox]") && form.checkValidity()) {
    apply();
  }
});
form.addEventListener("input", (event) => {
  if (event.target.matches("[data-facet-search]")) {
    searchInside(event.target);
  } else if (event.target.id === "age") {
    clearTimeout(typing);
    typing = setTimeout(() => form.checkValidity() && apply(), TYPING_MS);
  }
});
form.addEventListener("submit", (event) => {
  if (panel.classList.contains("is-open")) {
    event.preventDefault();
    closeSheet();
  }
});

function fold(text) {
  return text.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase();
}

function searchInside(field) {
  const group = field.closest(".facet");
  const wanted = fold(field.value.trim());
  let found = 0;
  for (const row of group.querySelectorAll(".facet-value")) {
    row.hidden = wanted !== "" && !fold(row.dataset.text).includes(wanted);
    found += row.hidden ? 0 : 1;
  }
  const more = $(".facet-more", group);
  if (more) {
    more.open = wanted !== "";
  }
  $(".facet-none", group).hidden = found > 0;
}

function visitsField() {
  const field = $('[data-combobox="visits"]');
  combobox(field, {
    status: $(".searchbox-status"),
    empty: "Aucune commune ne correspond.",
    load: placeLoader((place) => place.ref.startsWith("commune:")),
    choose: (item) => {
      field.value = item.value.label;
      $('[name="visits"]', form).value = item.value.code;
      $('[name="visits_label"]', form).value = item.value.label;
      apply();
    },
  });
  field.addEventListener("change", () => {
    if (!field.value.trim()) {
      apply();
    }
  });
}
visitsField();

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
document.body.addEventListener("htmx:afterSettle", () => {
  visitsField();
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
    apply();
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) {
      menu.open = false;
    }
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") {
    return;
  }
  const menu = $("details.menu[open]");
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
  $("[data-filters-open]").focus();
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

function showTab(name) {
  const wasMap = document.body.classList.contains("shows-map");
  if (name === "carte" && !wasMap) {
    listScroll = scrollY;
  }
  document.body.classList.toggle("shows-map", name === "carte");
  for (const button of document.querySelectorAll("[data-tab]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tab === name));
  }
  if (name === "carte") {
    scrollTo(0, 0);
    map.resized();
  } else if (wasMap) {
    scrollTo(0, listScroll);
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

const summary = $("[data-search-summary]");
summary.addEventListener("click", () => {
  const bar = $("#recherche-barre");
  const open = bar.classList.toggle("is-open");
  summary.setAttribute("aria-expanded", String(open));
  if (open) {
    $("#q").focus();
  }
});

// A sheet offers the way back to this very list.
try {
  sessionStorage.setItem("repere:recherche", location.pathname + location.search);
  document.body.addEventListener("htmx:pushedIntoHistory", () => {
    sessionStorage.setItem("repere:recherche", location.pathname + location.search);
  });
} catch {
  // Storage may be forbidden; the sheet then links to an empty search.
}

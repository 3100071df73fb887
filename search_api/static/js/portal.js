// A portal: suggestions inside its zone, offers kept at hand by this browser, territories on the map.

import { combobox } from "./combobox.js";
import { placeLoader } from "./searchbox.js";

const MOST = 20;
const number = new Intl.NumberFormat("fr-FR");
const base = document.querySelector(".portal-brand").pathname;
const KEY = `repere:favoris:${base}`;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// Search -------------------------------------------------------------------------------------------------

function put(form, name, value) {
  const element = document.createElement("input");
  element.type = "hidden";
  element.name = name;
  element.value = value;
  form.append(element);
}

function startSearch(form) {
  const what = form.querySelector('[data-combobox="what"]');
  const where = form.querySelector('[data-combobox="where"]');
  const status = form.querySelector(".searchbox-status");
  const { within } = form.dataset;
  const clear = form.querySelector('[data-clear="q"]');

  function forget() {
    form.querySelectorAll('input[type="hidden"][name="code"]').forEach((element) => element.remove());
    form.querySelector('[name="code_label"]').value = "";
  }

  combobox(what, {
    status,
    empty: "Aucune suggestion ; lancez la recherche avec votre texte.",
    load: async (text, signal) => {
      const params = new URLSearchParams({ q: text, within });
      const response = await fetch(`/api/v1/suggest?${params}`, { signal });
      if (!response.ok) {
        throw new Error(`HTTP ${response.status}`);
      }
      const groups = (await response.json()).map((group) => ({
        label: group.label,
        items: group.items.map((item) => ({
          text: item.label,
          detail: item.detail ?? "",
          count: item.count === null ? "" : `${number.format(item.count)} ${item.count < 2 ? "offre" : "offres"}`,
          value: { ...item, group: group.group },
        })),
      }));
      groups.push({ label: "", items: [{ text: `Chercher « ${text} » dans toute la zone`, value: null, typed: text }] });
      return groups;
    },
    choose: (item) => {
      forget();
      const { code, url, group } = item.value ?? {};
      if (url && group === "establishments") {
        location.assign(base + url);
        return;
      }
      what.value = item.typed ?? item.text;
      if (code) {
        put(form, "code", code);
        form.querySelector('[name="code_label"]').value = item.text;
      } else if (url) {
        // A person may work elsewhere too: the search shows what they do in the zone.
        put(form, "scope", "noms");
      }
      form.requestSubmit();
    },
  });

  combobox(where, {
    status,
    empty: "Aucun lieu de cette zone ne correspond.",
    load: placeLoader(
      () => true,
      `&within=${encodeURIComponent(within)}&kind=commune&kind=epci&kind=departement&kind=region&kind=territory`,
    ),
    choose: (item) => {
      where.value = "";
      put(form, "where", item.value.ref);
      form.requestSubmit();
    },
  });

  what.addEventListener("input", () => {
    clear.hidden = !what.value;
  });
  clear.addEventListener("click", () => {
    what.value = "";
    forget();
    clear.hidden = true;
    what.focus();
  });
}

document.querySelectorAll("[data-portal-search]").forEach(startSearch);

let request = null;

// Offers kept at hand ------------------------------------------------------------------------------------

function stored() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((uid) => typeof uid === "string" && UUID.test(uid)).slice(0, MOST) : [];
  } catch {
    // Storage may be forbidden: the address of the page then carries the list.
    return [];
  }
}

function store(uids) {
  try {
    localStorage.setItem(KEY, JSON.stringify(uids.slice(-MOST)));
  } catch {
    // The boxes still work as a form.
  }
}

function addressOf(page, uids) {
  const query = uids.map((uid) => `o=${uid}`).join("&");
  return `${base}${page}${query ? `?${query}` : ""}`;
}

function draw() {
  const kept = stored();
  for (const link of document.querySelectorAll("[data-kept-link]")) {
    link.href = addressOf("/favoris", kept);
    link.querySelector("[data-kept-count]").textContent = kept.length ? ` (${kept.length})` : "";
  }
  for (const box of document.querySelectorAll("[data-pick]")) {
    box.checked = kept.includes(box.value);
  }
  const keep = document.querySelector("[data-keep]");
  if (keep) {
    const isKept = kept.includes(keep.dataset.keep);
    keep.setAttribute("role", "button");
    keep.setAttribute("aria-pressed", String(isKept));
    keep.querySelector("[data-keep-text]").textContent = isKept ? "Gardée dans mes favoris" : "Garder dans mes favoris";
    const compare = document.querySelector("[data-compare]");
    compare.href = addressOf("/comparer", [...new Set([compare.dataset.compare, ...kept])]);
  }
}

function toggle(uid, wanted) {
  const others = stored().filter((one) => one !== uid);
  store(wanted ? [...others, uid] : others);
  draw();
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick]")) {
    toggle(event.target.value, event.target.checked);
  }
});
document.addEventListener("click", (event) => {
  const keep = event.target.closest("[data-keep]");
  const drop = event.target.closest("[data-drop]");
  if (keep) {
    event.preventDefault();
    toggle(keep.dataset.keep, !stored().includes(keep.dataset.keep));
  } else if (drop) {
    toggle(drop.dataset.drop, false);
  }
});
document.addEventListener("keydown", (event) => {
  // What is announced as a button answers to the space bar too.
  if (event.key === " " && event.target.matches("[data-keep]")) {
    event.preventDefault();
    event.target.click();
  }
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-keeping]")) {
    // The boxes of this page are part of what the browser keeps: its whole list goes.
    event.preventDefault();
    const page = event.submitter?.getAttribute("formaction")?.slice(base.length) ?? "/favoris";
    location.assign(addressOf(page, stored()));
  }
});
document.body.addEventListener("htmx:afterSettle", () => {
  draw();
  // Other results: the territories of the former ones go with their button.
  request?.abort();
  show([]);
});
addEventListener("storage", draw);
addEventListener("pageshow", draw);
draw();

const all = document.querySelector("[data-keep-all]");
if (all) {
  const listed = new URLSearchParams(location.search).getAll("o").filter((uid) => UUID.test(uid));
  all.hidden = listed.every((uid) => stored().includes(uid));
  all.addEventListener("click", () => {
    store([...new Set([...stored(), ...listed])]);
    all.hidden = true;
    draw();
  });
} else if (document.querySelector("[data-kept-page]") && !location.search && stored().length) {
  location.replace(addressOf("/favoris", stored()));
}

// Territories --------------------------------------------------------------------------------------------

async function territory(card, signal) {
  const response = await fetch(`/api/v1/offers/${card.dataset.visiting}/territory.geojson`, { signal });
  const name = card.querySelector(".card-offer-name a")?.textContent ?? card.closest(".result").querySelector(".result-link").textContent;
  return response.ok ? { name, geojson: await response.json() } : null;
}

/** Leaves shapes for the map, which may still be on its way. */
function show(found) {
  const map = document.querySelector("[data-map]");
  if (map) {
    map.repereShapes = found;
    map.dispatchEvent(new Event("repere:shapes"));
  }
}

async function showTerritories(button) {
  const wanted = button.getAttribute("aria-pressed") !== "true";
  const text = button.querySelector("[data-territories-text]");
  request?.abort();
  request = new AbortController();
  button.setAttribute("aria-pressed", String(wanted));
  text.textContent = "Territoires d’intervention";
  if (!wanted) {
    show([]);
    return;
  }
  const cards = [...document.querySelectorAll("[data-visiting]")];
  if (cards.length === 0) {
    text.textContent = "Aucun territoire décrit dans cette page";
    return;
  }
  try {
    const found = await Promise.all(cards.map((card) => territory(card, request.signal)));
    show(found.filter((one) => one?.geojson.features.length));
    const tab = document.querySelector('[data-tab="carte"]');
    if (tab.offsetParent !== null) {
      // On a phone the map is a tab of its own.
      tab.click();
    }
  } catch (error) {
    if (error.name !== "AbortError") {
      text.textContent = "Les territoires ne répondent pas : réessayez";
      button.setAttribute("aria-pressed", "false");
    }
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-territories]");
  if (button) {
    showTerritories(button);
  }
});

// Code to copy -------------------------------------------------------------------------------------------

document.querySelector("[data-copy-code]")?.addEventListener("click", async ({ currentTarget }) => {
  const text = currentTarget.querySelector("[data-copy-text]");
  try {
    await navigator.clipboard.writeText(document.querySelector("[data-code]").textContent);
    text.textContent = "Code copié";
  } catch {
    text.textContent = "Copie refusée : sélectionnez le code";
  }
  document.querySelector("[data-copy-status]").textContent = text.textContent;
});

// Fields of the filters that take a town: those near the search first, and a text that is no town's name never stays
// as a choice.

import { combobox, fold } from "./combobox.js";
import { placeLoader } from "./searchbox.js";

const MOST = 10;

function plain(text) {
  return fold(text).replace(/[^\p{L}\p{N}]+/gu, " ").trim();
}

/** The places that hold the neighbours of a place of the search, as far as its code tells. */
function around(ref) {
  const [kind, code] = ref.split(":");
  if (kind !== "commune" && kind !== "arrondissement") {
    return ["epci", "departement", "region", "territory"].includes(kind) ? ref : "";
  }
  return `departement:${code.slice(0, /^9[78]/.test(code) ? 3 : 2)}`;
}

/** How far a place is, enough to compare: a degree of longitude shrinks towards the pole. */
function apart(place, lat, lon) {
  if (place.lat === null) {
    return Infinity;
  }
  return Math.hypot(place.lat - lat, (place.lon - lon) * Math.cos((lat * Math.PI) / 180));
}

/** Loads towns: those that begin with the text first, and among them the nearest to the centre of the search. */
function townLoader(form, map) {
  const town = (place) => place.ref.startsWith("commune:");
  const everywhere = placeLoader(town, "&kind=commune&limit=20");
  const refs = [...form.querySelectorAll('[name="where"]')].map((element) => around(element.value)).filter(Boolean);
  const near = refs.length ? placeLoader(town, `&kind=commune&within=${encodeURIComponent(refs.join(","))}`) : async () => [];
  const { centreLat, centreLon } = map?.dataset ?? {};

  return async (text, signal) => {
    const groups = (await Promise.all([near(text, signal), everywhere(text, signal)])).flat();
    const found = new Map(groups.flatMap((group) => group.items).map((item) => [item.value.ref, item]));
    const items = [...found.values()];
    if (centreLat) {
      const typed = plain(text);
      const ranks = new Map(
        items.map(({ value }) => [value, { far: !plain(value.name).startsWith(typed), km: apart(value, Number(centreLat), Number(centreLon)) }]),
      );
      const by = ({ value }) => ranks.get(value);
      items.sort((a, b) => by(a).far - by(b).far || by(a).km - by(b).km || a.value.code.localeCompare(b.value.code));
    }
    return items.length ? [{ label: "", items: items.slice(0, MOST) }] : [];
  };
}

function townField({ field, form, apply, load, status }) {
  const { town, key } = field.dataset;
  const chosen = form.querySelector(`[name="${town}"]`);
  const label = form.querySelector(`[name="${town}_label"]`);
  const said = form.querySelector(`[data-${town}-said]`);
  // A text is no choice: only the town that stands behind it is sent.
  field.removeAttribute("name");

  function choose(place) {
    said.textContent = "";
    field.value = label.value = place?.label ?? "";
    if (chosen.value !== (place?.[key] ?? "")) {
      chosen.value = place?.[key] ?? "";
      apply();
    }
  }

  /** Takes the town whose very name is written, else puts back what was chosen. */
  async function settle() {
    const text = field.value.trim();
    if (!text || text === label.value) {
      choose(text ? { label: text, [key]: chosen.value } : null);
      return;
    }
    let exact = [];
    try {
      const towns = (await load(text)).flatMap((group) => group.items.map((item) => item.value));
      exact = towns.filter((place) => [place.name, place.label].some((name) => plain(name) === plain(text)));
    } catch {
      // As for a name that nobody bears: the former choice stands.
    }
    if (!field.isConnected || field.value.trim() !== text) {
      return;
    }
    if (exact.length === 1) {
      choose(exact[0]);
    } else {
      field.value = label.value;
      said.textContent = `« ${text} » n’est pas appliqué : choisissez une commune de la liste proposée.`;
    }
  }

  combobox(field, { status, empty: "Aucune commune ne correspond.", load, choose: (item) => choose(item.value) });
  field.addEventListener("input", () => {
    said.textContent = "";
  });
  field.addEventListener("blur", () => {
    // A field that is drawn again loses the focus too.
    if (document.getElementById(field.id) === field) {
      settle();
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.defaultPrevented && window.htmx) {
      event.preventDefault();
      settle();
    }
  });
}

/** Starts the fields of the filters that take a town; `apply` asks for the results again. */
export function townFields({ form, apply, map, status }) {
  const load = townLoader(form, map);
  form.querySelectorAll("[data-town]").forEach((field) => townField({ field, form, apply, load, status }));
}

// The two-field search: suggestions, clearing, position of the device.

import { combobox } from "./combobox.js";

const AROUND_ME = "Autour de moi";
const number = new Intl.NumberFormat("fr-FR");

async function json(address, signal) {
  const response = await fetch(address, { signal, headers: { Accept: "application/json" } });
  if (!response.ok) {
    throw new Error(`HTTP ${response.status}`);
  }
  return response.json();
}

/** Loads places; `only` keeps those that a field can take, `more` are further parameters of the question. */
export function placeLoader(only = () => true, more = "") {
  return async (text, signal) => {
    const places = await json(`/api/v1/places?q=${encodeURIComponent(text)}${more}`, signal);
    const items = places.filter(only).map((place) => ({
      text: place.label,
      detail: place.context,
      value: place,
    }));
    return items.length ? [{ label: "", items }] : [];
  };
}

function hidden(form, name) {
  return form.querySelector(`input[type="hidden"][name="${name}"]`);
}

function drop(form, name) {
  form.querySelectorAll(`input[type="hidden"][name="${name}"]`).forEach((element) => element.remove());
}

function put(form, name, value) {
  const element = document.createElement("input");
  element.type = "hidden";
  element.name = name;
  element.value = value;
  form.append(element);
}

function start(form) {
  const what = form.querySelector('[data-combobox="what"]');
  const where = form.querySelector('[data-combobox="where"]');
  const status = form.querySelector(".searchbox-status");

  function place(label, ref, lat = "", lon = "") {
    drop(form, "where");
    if (ref) {
      put(form, "where", ref);
    }
    where.value = label;
    hidden(form, "where_label").value = label;
    hidden(form, "lat").value = lat;
    hidden(form, "lon").value = lon;
    clears();
  }

  function chosenPlace() {
    const label = hidden(form, "where_label").value;
    if (!label || label !== where.value) {
      return "";
    }
    return [...form.querySelectorAll('input[type="hidden"][name="where"]')]
      .map((element) => `&where=${encodeURIComponent(element.value)}`)
      .join("");
  }

  function clears() {
    for (const button of form.querySelectorAll("[data-clear]")) {
      button.hidden = !form.elements[button.dataset.clear].value;
    }
  }

  combobox(what, {
    status,
    empty: "Aucune suggestion ; lancez la recherche avec votre texte.",
    load: async (text, signal) => {
      const groups = await json(`/api/v1/suggest?q=${encodeURIComponent(text)}${chosenPlace()}`, signal);
      const found = groups.map((group) => ({
        label: group.label,
        items: group.items.map((item) => ({
          text: item.label,
          detail: item.detail ?? "",
          count: item.count === null ? "" : `${number.format(item.count)} ${item.count < 2 ? "offre" : "offres"}`,
          value: item,
        })),
      }));
      found.push({ label: "", items: [{ text: `Chercher « ${text} » dans tout le répertoire`, value: null, typed: text }] });
      return found;
    },
    choose: (item) => {
      drop(form, "code");
      hidden(form, "code_label").value = "";
      if (item.value?.url) {
        location.assign(item.value.url);
        return;
      }
      if (item.value?.code) {
        what.value = item.text;
        put(form, "code", item.value.code);
        hidden(form, "code_label").value = item.text;
      } else {
        what.value = item.typed ?? item.text;
      }
      clears();
      if (where.value || !form.classList.contains("searchbox-home")) {
        form.requestSubmit();
      } else {
        where.focus();
      }
    },
  });

  combobox(where, {
    status,
    empty: "Aucun lieu ne correspond.",
    load: placeLoader(),
    choose: (item) => {
      place(item.value.label, item.value.ref);
      if (what.value || !form.classList.contains("searchbox-home")) {
        form.requestSubmit();
      } else {
        what.focus();
      }
    },
  });

  form.addEventListener("input", () => {
    clears();
    status.classList.add("visually-hidden");
  });
  for (const button of form.querySelectorAll("[data-clear]")) {
    button.addEventListener("click", () => {
      if (button.dataset.clear === "q") {
        what.value = "";
        hidden(form, "code_label").value = "";
        drop(form, "code");
        what.focus();
      } else {
        place("", "");
        where.focus();
      }
      clears();
    });
  }

  const locate = form.querySelector("[data-locate]");
  if (!("geolocation" in navigator)) {
    locate.hidden = true;
  }
  locate.addEventListener("click", () => {
    status.textContent = "Recherche de votre position…";
    status.classList.add("visually-hidden");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        // About 100 m: enough to measure, and no more than that leaves the device.
        place(AROUND_ME, "", coords.latitude.toFixed(3), coords.longitude.toFixed(3));
        if (what.value) {
          form.requestSubmit();
        } else {
          status.textContent = "Position trouvée.";
          what.focus();
        }
      },
      () => {
        status.textContent = "Votre position n’est pas accessible : écrivez une commune.";
        // No room in the field for so long a sentence.
        status.classList.remove("visually-hidden");
        where.focus();
      },
      { timeout: 8000, maximumAge: 300000 },
    );
  });
}

document.querySelectorAll("[data-searchbox]").forEach(start);

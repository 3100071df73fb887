// The form of filters: each applies at once, what is written slowly when it is whole.

import { fold } from "./combobox.js";
import { townFields } from "./towns.js";

const TYPING_MS = 600;
const $ = (selector, root = document) => root.querySelector(selector);

/** Starts the form; returns what applies it, and what to call when it was drawn again. */
export function startFilters(form, map) {
  let typing = 0;
  // Ages that follow one another without leaving the field are one entry of the history: who writes 12 chose no 1.
  let stay = 1;
  let asked = 0;
  let pushed = 0;

  function apply(during = 0) {
    clearTimeout(typing);
    asked = during;
    form.dispatchEvent(new CustomEvent("repere:filter"));
  }

  /** Applies the age, unless the page already shows its results. */
  function applyAge(field) {
    clearTimeout(typing);
    if (field.value !== field.defaultValue && form.checkValidity()) {
      apply(stay);
    }
  }

  form.addEventListener("change", (event) => {
    const { target } = event;
    if (target.id === "age") {
      applyAge(target);
    } else if (target.id === "open_on") {
      // A wheel of a phone is one choice; a keyboard or a calendar changes the value piece by piece.
      if (matchMedia("(pointer: coarse)").matches) {
        applyMoment(target);
      }
    } else if (!target.matches("[data-facet-search], [data-combobox]") && form.checkValidity()) {
      apply();
    }
  });
  form.addEventListener("input", (event) => {
    const { target } = event;
    if (target.matches("[data-facet-search]")) {
      searchInside(target);
    } else if (target.id === "age") {
      clearTimeout(typing);
      typing = setTimeout(() => applyAge(target), TYPING_MS);
    }
  });
  form.addEventListener("focusout", ({ target }) => {
    // A field that is drawn again loses the focus too.
    if (!target.isConnected || target !== document.getElementById(target.id)) {
      return;
    }
    if (target.id === "age") {
      stay += 1;
    } else if (target.id === "open_on") {
      applyMoment(target);
    }
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.id === "open_on" && window.htmx) {
      event.preventDefault();
      applyMoment(event.target);
    }
  });
  form.addEventListener("submit", (event) => {
    if (window.htmx && document.activeElement?.id === "age") {
      event.preventDefault();
      applyAge(document.activeElement);
    }
  });

  document.body.addEventListener("htmx:beforeHistoryUpdate", ({ detail }) => {
    const same = new URL(detail.history.path, location.href).href === location.href.split("#")[0];
    if (same || (asked && asked === pushed)) {
      detail.history.type = "replace";
    }
    pushed = asked;
  });

  // What is being written while the filters are drawn again stays, and the caret with it.
  let written = null;

  document.body.addEventListener("htmx:oobBeforeSwap", ({ target }) => {
    const field = document.activeElement;
    if (target.id === "filtres-corps" && target.contains(field) && field.matches("input")) {
      written = { id: field.id, value: field.value, edited: field.value !== field.defaultValue };
    }
  });
  document.body.addEventListener("htmx:afterSwap", () => {
    const field = written && document.getElementById(written.id);
    if (field?.matches("#age") || (written?.edited && field?.matches("[data-combobox], [data-facet-search]"))) {
      // Emptied first: the caret then comes to the end, which a field of numbers gives no other way to ask.
      field.value = "";
      field.value = written.value;
      if (field.matches("[data-facet-search]")) {
        searchInside(field);
      }
    }
    written = null;
  });

  /** The field moves the moment of the list; without scripts it is sent itself, beside what it showed. */
  function momentField() {
    const field = $("#open_on");
    field.removeAttribute("name");
    $('[name="open_was"]', form)?.remove();
    field.value = field.defaultValue;
  }

  function applyMoment(field) {
    const list = $("#open_at");
    const { value } = field;
    const before = field.defaultValue;
    if (field.validity.badInput) {
      field.value = before;
    } else if (value !== before) {
      if (![...list.options].some((option) => option.value === value)) {
        list.add(new Option(value.replace("T", " "), value));
      }
      list.value = value;
      // Left again before the results are there, it asks for nothing more.
      field.defaultValue = value;
      apply();
    }
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

  function drawn() {
    townFields({ form, apply, map, status: $(".searchbox-status") });
    momentField();
  }
  drawn();
  return { apply, drawn };
}

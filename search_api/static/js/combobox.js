// Combobox with a list popup (ARIA authoring practices): the focus stays in the field, the arrows move in the list.

const DELAY_MS = 120;
let serial = 0;

/**
 * Gives suggestions to a text field.
 * `load(text, signal)` resolves to groups `[{label, items: [{text, detail, count, value}]}]`;
 * `choose(item)` is called with the chosen item; `status` is a live region.
 */
export function combobox(input, { load, choose, status, empty }) {
  const host = input.parentElement;
  const list = document.createElement("div");
  const id = `suggestions-${++serial}`;
  let options = [];
  let active = -1;
  let timer = 0;
  let request = null;

  list.id = id;
  list.className = "combo-list";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  host.append(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", id);

  function close() {
    clearTimeout(timer);
    request?.abort();
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    options[active]?.element.setAttribute("aria-selected", "false");
    active = index;
    const option = options[active];
    if (!option) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    option.element.setAttribute("aria-selected", "true");
    option.element.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.element.id);
  }

  function take(index) {
    const option = options[index];
    close();
    choose(option.item);
  }

  function optionElement(item, words, index) {
    const element = document.createElement("div");
    element.id = `${id}-${index}`;
    element.className = "combo-option";
    element.setAttribute("role", "option");
    element.setAttribute("aria-selected", "false");
    const text = document.createElement("span");
    text.className = "combo-option-text";
    text.append(...highlighted(item.text, words));
    if (item.detail) {
      const detail = document.createElement("span");
      detail.className = "combo-option-detail";
      detail.textContent = ` ${item.detail}`;
      text.append(detail);
    }
    element.append(text);
    if (item.count) {
      const count = document.createElement("span");
      count.className = "combo-option-count";
      count.textContent = item.count;
      element.append(count);
    }
    // The press must not take the focus from the field before the click is known.
    element.addEventListener("pointerdown", (event) => event.preventDefault());
    element.addEventListener("click", () => take(index));
    return element;
  }

  function show(groups) {
    const words = input.value.trim().split(/\s+/).filter((word) => word.length > 1);
    // An answer that comes late must not change what Enter is about to choose.
    const chosen = options[active]?.item;
    options = [];
    list.replaceChildren();
    groups.forEach((group, position) => {
      const box = document.createElement("div");
      box.setAttribute("role", "group");
      if (group.label) {
        const label = document.createElement("div");
        label.className = "combo-group-label";
        label.id = `${id}-g${position}`;
        label.textContent = group.label;
        box.setAttribute("aria-labelledby", label.id);
        box.append(label);
      } else {
        box.setAttribute("aria-label", "Suggestions");
      }
      for (const item of group.items) {
        const element = optionElement(item, words, options.length);
        options.push({ item, element });
        box.append(element);
      }
      list.append(box);
    });
    active = -1;
    input.removeAttribute("aria-activedescendant");
    if (options.length === 0) {
      close();
      status.textContent = empty;
      return;
    }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    if (chosen) {
      mark(options.findIndex(({ item }) => item.text === chosen.text && item.detail === chosen.detail));
    }
    status.textContent = options.length === 1 ? "1 suggestion" : `${options.length} suggestions`;
  }

  async function refresh() {
    const text = input.value.trim();
    request?.abort();
    if (!text) {
      close();
      return;
    }
    const mine = new AbortController();
    request = mine;
    try {
      const groups = await load(text, mine.signal);
      if (request === mine && document.activeElement === input) {
        show(groups);
      }
    } catch (error) {
      if (error.name !== "AbortError") {
        close();
        status.textContent = "Les suggestions ne répondent pas ; vous pouvez lancer la recherche.";
      }
    }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, DELAY_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) {
      return;
    }
    const open = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) {
        refresh();
      } else {
        const step = event.key === "ArrowDown" ? 1 : -1;
        mark((active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % options.length);
      }
    } else if (event.key === "Enter" && open && active >= 0) {
      event.preventDefault();
      take(active);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Tab" && open) {
      close();
    }
  });
  input.addEventListener("blur", close);
  return { close };
}

/** Writes a text without accents nor capitals, to compare it. */
export function fold(text) {
  return text.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase();
}

/** Splits a label into text nodes and <mark> where a typed word starts one of its words. */
function highlighted(text, words) {
  const folded = fold(text);
  if (folded.length !== text.length) {
    return [text];
  }
  let best = null;
  for (const word of words) {
    const at = folded.search(new RegExp(`(?<![\\p{L}\\p{N}])${escape(fold(word))}`, "u"));
    if (at >= 0 && (best === null || at < best.at)) {
      best = { at, length: word.length };
    }
  }
  if (best === null) {
    return [text];
  }
  const mark = document.createElement("mark");
  mark.textContent = text.slice(best.at, best.at + best.length);
  return [text.slice(0, best.at), mark, text.slice(best.at + best.length)];
}

function escape(word) {
  return word.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}

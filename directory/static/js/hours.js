// Editor of hours. The buttons ask the server for the same page and swap the editor: one set of rules. The week grid
// draws the fields and writes into them; it holds nothing of its own.

const STEP = 15;
const DAY = 1440;
const NAMES = ["", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
const HELP =
  "Glissez pour déplacer, tirez un bord pour allonger, glissez dans une case vide pour ajouter. Au clavier : flèches " +
  "pour déplacer, Maj et flèches haut ou bas pour changer la fin, Suppr pour retirer, Entrée pour saisir les heures.";

const minutesOf = (text) => (/^\d{2}:\d{2}/.test(text) ? Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5)) : null);
const textOf = (minutes) => {
  const at = ((minutes % DAY) + DAY) % DAY;
  return `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
};
const said = (minutes) => {
  const at = ((minutes % DAY) + DAY) % DAY;
  return `${Math.floor(at / 60)}\u00a0h${at % 60 ? `\u00a0${String(at % 60).padStart(2, "0")}` : ""}`;
};

function make(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** A slot of the week: its row of fields, read and written. */
class Slot {
  constructor(row) {
    this.row = row;
    this.day = row.querySelector('input[name$="-jour"]');
    this.kind = row.querySelector("select");
    [this.from, this.to] = row.querySelectorAll('input[type="time"]');
  }

  get start() {
    return minutesOf(this.from.value);
  }

  get end() {
    const [start, end] = [this.start, minutesOf(this.to.value)];
    return start === null || end === null ? null : end > start ? end : end + DAY;
  }

  get words() {
    return `${NAMES[this.day.value]}, ${this.kind.selectedOptions[0].textContent}, de ${said(this.start)} à ${said(this.end)}`;
  }

  write(day, start, end) {
    if (String(day) !== this.day.value) {
      this.day.value = day;
      const target = this.row.closest("[data-hours-editor]").querySelector(`.he-day[data-day="${day}"]`);
      target.querySelector(".he-tools").before(this.row);
    }
    this.from.value = textOf(start);
    this.to.value = textOf(end);
    this.from.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

class Grid {
  constructor(editor) {
    this.editor = editor;
    this.host = editor.querySelector("[data-hours-grid]");
    this.status = editor.querySelector("[data-hours-status]");
    this.frame = make("div", "hg-frame");
    this.frame.setAttribute("role", "group");
    this.frame.setAttribute("aria-label", "Semaine type");
    this.columns = {};
    this.build();
    this.draw();
    const opening = Math.min(8 * 60, ...this.slots().map((slot) => slot.start));
    this.frame.scrollTop = Math.max(0, (opening - 60) * this.scale());
    editor.addEventListener("input", () => this.draw());
  }

  build() {
    const help = make("p", "field-help", HELP);
    help.id = "hg-aide";
    this.frame.setAttribute("aria-describedby", help.id);
    this.frame.tabIndex = 0;
    this.frame.append(make("div", "hg-head"));
    for (let day = 1; day <= 7; day += 1) this.frame.append(make("div", "hg-head", NAMES[day].slice(0, 3)));
    const hours = make("div", "hg-hours");
    for (let hour = 1; hour < 24; hour += 1) {
      const label = make("span", "num", `${hour} h`);
      label.style.top = `${(hour / 24) * 100}%`;
      hours.append(label);
    }
    this.frame.append(hours);
    for (let day = 1; day <= 7; day += 1) {
      const column = make("div", "hg-day");
      column.dataset.day = day;
      column.addEventListener("pointerdown", (event) => this.create(event, day));
      this.columns[day] = column;
      this.frame.append(column);
    }
    this.host.replaceChildren(help, this.frame);
  }

  slots() {
    return [...this.editor.querySelectorAll(".he-row[data-slot]")]
      .map((row) => new Slot(row))
      .filter((slot) => slot.end !== null);
  }

  scale() {
    return this.columns[1].offsetHeight / DAY || 0.8;
  }

  draw(focused) {
    const active = focused || document.activeElement?.dataset?.slot;
    for (const column of Object.values(this.columns)) column.replaceChildren();
    for (const slot of this.slots()) {
      const day = Number(slot.day.value);
      const block = this.block(slot, "button");
      this.place(block, slot.start, Math.min(slot.end, DAY));
      this.columns[day].append(block);
      if (slot.end > DAY) {
        const rest = this.block(slot, "div");
        rest.classList.add("hg-rest");
        rest.setAttribute("aria-hidden", "true");
        this.place(rest, 0, slot.end - DAY);
        this.columns[(day % 7) + 1].append(rest);
      }
      if (block.dataset.slot === active && this.frame.contains(this.columns[day])) this.pending = block;
    }
    if (this.pending && (focused || this.hadFocus)) this.pending.focus({ preventScroll: true });
    this.pending = null;
  }

  place(block, start, end) {
    block.style.top = `${(start / DAY) * 100}%`;
    block.style.height = `${((end - start) / DAY) * 100}%`;
  }

  block(slot, tag) {
    const kind = slot.kind.selectedOptions[0];
    const block = make(tag, `hg-slot hg-${kind.dataset.mark}`);
    if (tag === "button") block.append(make("span", "visually-hidden", `${NAMES[slot.day.value]}, `));
    block.append(make("strong", "num", `${said(slot.start)} – ${said(slot.end)}`), " ", make("span", "", kind.dataset.short));
    if (tag !== "button") return block;
    block.type = "button";
    block.dataset.slot = slot.row.dataset.slot;
    for (const edge of ["top", "bottom"]) {
      const handle = make("span", `hg-edge hg-${edge}`);
      handle.dataset.edge = edge;
      block.append(handle);
    }
    block.addEventListener("pointerdown", (event) => this.grab(event, slot, block));
    block.addEventListener("keydown", (event) => this.press(event, slot));
    block.addEventListener("focus", () => (this.hadFocus = true));
    block.addEventListener("blur", () => (this.hadFocus = false));
    return block;
  }

  tell(text) {
    this.status.textContent = text;
  }

  /** Minutes of the day under the pointer, and the day. */
  under(event) {
    const columns = Object.values(this.columns);
    const column = columns.find((one) => event.clientX < one.getBoundingClientRect().right) || columns[6];
    const box = column.getBoundingClientRect();
    const minutes = Math.round(((event.clientY - box.top) / box.height) * (DAY / STEP)) * STEP;
    return { day: Number(column.dataset.day), minutes: Math.max(0, Math.min(DAY, minutes)) };
  }

  follow(event, move, done) {
    event.preventDefault();
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const stop = () => {
      controller.abort();
      done();
    };
    window.addEventListener("pointermove", move, options);
    window.addEventListener("pointerup", stop, options);
    window.addEventListener("pointercancel", stop, options);
  }

  grab(event, slot, block) {
    if (event.button) return;
    event.stopPropagation();
    const edge = event.target.dataset?.edge;
    const first = this.under(event);
    const [start, end] = [slot.start, slot.end];
    let moved = false;
    const move = (at) => {
      const now = this.under(at);
      const by = now.minutes - first.minutes;
      moved ||= by !== 0 || now.day !== first.day;
      if (!moved) return;
      if (edge === "top") slot.write(slot.day.value, Math.max(0, Math.min(start + by, end - STEP)), end);
      else if (edge === "bottom") slot.write(slot.day.value, start, Math.max(start + STEP, Math.min(end + by, start + DAY - STEP)));
      else {
        const begins = Math.max(0, Math.min(start + by, DAY - STEP));
        slot.write(now.day, begins, begins + (end - start));
      }
      this.draw();
    };
    this.follow(event, move, () => {
      if (moved) this.tell(`${slot.words}.`);
      this.draw(slot.row.dataset.slot);
    });
  }

  create(event, day) {
    if (event.button || event.target !== this.columns[day]) return;
    const first = this.under(event).minutes;
    let slot = null;
    const move = (at) => {
      const now = this.under(at).minutes;
      if (!slot && Math.abs(now - first) < STEP) return;
      slot ||= this.add(day);
      const [start, end] = [Math.min(first, now), Math.max(first, now)];
      slot.write(day, start, Math.max(end, start + STEP));
      this.draw();
    };
    this.follow(event, move, () => {
      if (!slot) return;
      this.tell(`Plage ajoutée : ${slot.words}.`);
      this.draw(slot.row.dataset.slot);
    });
  }

  add(day) {
    const numbers = [...this.editor.querySelectorAll("[data-slot]")].map((row) => Number(row.dataset.slot));
    const number = Math.max(-1, ...numbers) + 1;
    const template = this.editor.querySelector("template[data-slot-row]");
    const holder = document.createElement("div");
    holder.innerHTML = template.innerHTML.replaceAll("0000", String(number));
    const row = holder.querySelector(".he-row");
    row.querySelector('input[name$="-jour"]').value = day;
    this.editor.querySelector(`.he-day[data-day="${day}"] .he-tools`).before(row);
    return new Slot(row);
  }

  press(event, slot) {
    const [day, start, end] = [Number(slot.day.value), slot.start, slot.end];
    const step = event.key === "ArrowUp" ? -STEP : STEP;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      if (event.shiftKey) {
        const stretched = end + step;
        if (stretched - start < STEP || stretched - start >= DAY) return;
        slot.write(day, start, stretched);
      } else {
        if (start + step < 0 || start + step >= DAY) return;
        slot.write(day, start + step, end + step);
      }
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const next = day + (event.key === "ArrowLeft" ? -1 : 1);
      if (next < 1 || next > 7) return;
      slot.write(next, start, end);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      const words = slot.words;
      slot.row.remove();
      this.draw();
      this.tell(`Plage retirée : ${words}.`);
      this.frame.focus({ preventScroll: true });
      event.preventDefault();
      return;
    } else if (event.key === "Enter") {
      event.preventDefault();
      slot.from.focus();
      return;
    } else return;
    event.preventDefault();
    this.tell(`${slot.words}.`);
    this.draw(slot.row.dataset.slot);
  }
}

/** Ask for the page that the button would lead to, and put its editor in the place of this one. */
async function act(editor, button) {
  const form = editor.closest("form");
  const data = new FormData(form, button);
  editor.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(button.getAttribute("formaction") || form.getAttribute("action") || location.href, {
      method: "POST",
      body: new URLSearchParams([...data].filter(([, value]) => typeof value === "string")),
      headers: { Accept: "text/html" },
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-hours-editor]");
    if (!fresh) throw new Error("no editor");
    editor.replaceWith(document.adoptNode(fresh));
    start(fresh);
    const target = document.getElementById(fresh.dataset.focus || "");
    target?.focus();
    target?.scrollIntoView({ block: "nearest" });
  } catch {
    // The browser's own way says what went wrong, and loses nothing.
    editor.removeAttribute("aria-busy");
    editor.dataset.plain = "1";
    form.requestSubmit(button);
  }
}

function start(editor) {
  new Grid(editor);
  editor.addEventListener("click", (event) => {
    const button = event.target.closest('button[name="horaires_action"]');
    if (!button || editor.dataset.plain) return;
    event.preventDefault();
    if (editor.getAttribute("aria-busy") !== "true") act(editor, button);
  });
}

for (const editor of document.querySelectorAll("[data-hours-editor]")) start(editor);

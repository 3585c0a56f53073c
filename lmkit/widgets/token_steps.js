// <lmkit-token-steps>: steps through the works that lmkit.widgets.token_steps packed into its attribute.
// Text only ever goes through textContent and attributes of ours, never as HTML.
(() => {
  "use strict";
  if (customElements.get("lmkit-token-steps")) return;

  const CSS = "__CSS__";
  const TINTS = 4;
  const PAUSE = 1300; // milliseconds between two steps while playing
  const LONG = 32; // characters of a piece that are shown; more are counted
  const KEPT = {}; // what was chosen in a figure that the next one of a live kernel replaces
  const ICONS = {
    back: "M15 5 8 12l7 7", next: "M9 5l7 7-7 7", play: "M8 5.5v13l10.5-6.5z", pause: "M8.5 6v12M15.5 6v12",
  };

  // ---- small pure functions ----

  const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
  const count = (n, one) => `${n.toLocaleString("en")} ${one}${n === 1 ? "" : "s"}`;
  const minus = (score) => score.toFixed(2).replace("-", "−");
  const spliced = (before, [head, tail, middle]) => before.slice(0, head).concat(middle, before.slice(before.length - tail));

  // __PAGE__

  const icon = (name) =>
    svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: name }, svg("path", { d: ICONS[name] }));

  // A piece starts with what joins what is before it: give it something to stand on.
  const standing = (text) => (/^\p{M}/u.test(text) ? `◌${text}` : text === "\u200d" ? "‹200D›" : text);

  function unpack({ name, pieces, candidates, lattice, steps }) {
    pieces = pieces.map(([label, start, end, id]) => ({ label: standing(label), start, end, id }));
    candidates = candidates.map(([label, start, end, score]) => ({ label: standing(label), start, end, score }));
    let now = [], fits = [], shown = null;
    const work = { name, candidates, lattice, steps: steps.map(([say, change, changed, fitting]) => {
      now = spliced(now, change);
      fits = spliced(fits, fitting);
      if (fits.length) shown = new Map(fits.map((code) => [code >> 1, code & 1])); // else the last ones stay to be seen
      return { say, pieces: now.map((i) => pieces[i]), changed: new Set(changed), candidates: shown };
    }) };
    tint(work.steps);
    return work;
  }

  // Neighbours differ in tint, and a piece keeps its tint from step to step where it can.
  function tint(steps) {
    let before = new Map();
    for (const step of steps) {
      const now = new Map(), met = new Map();
      const keys = step.pieces.map(({ start }) => {
        met.set(start, (met.get(start) ?? 0) + 1);
        return `${start} ${met.get(start)}`;
      });
      let left = TINTS - 1;
      step.tints = keys.map((key, i) => {
        let mine = before.get(key) ?? (left + 1) % TINTS;
        if (mine === left) mine = [1, 2, 3].map((d) => (left + d) % TINTS).find((t) => t !== before.get(keys[i + 1]));
        now.set(key, mine);
        return (left = mine);
      });
      before = now;
    }
  }

  // [[from, to, pieces that cover it]...] of all the text: a character may have several pieces (bytes), or none.
  function runs(pieces, length) {
    const cuts = [...new Set([0, length, ...pieces.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
    return cuts.slice(1).map((to, i) => [cuts[i], to,
      pieces.flatMap(({ start, end }, p) => (start <= cuts[i] && to <= end ? [p] : []))]);
  }

  // What there is to say of a piece: [name, value] pairs, the label first.
  function about({ pieces }, i, { bytes }) {
    const { label, start, end, id } = pieces[i], letters = Array.from(label), mine = bytes.slice(start, end).join(" ").split(" ");
    const sharing = pieces.filter((other) => other.start < end && start < other.end).length;
    return [["", letters.slice(0, LONG).join("") + (letters.length > LONG ? "…" : "")],
      ["id", id === null ? "none yet" : String(id)],
      ["place", start === end ? `no character, at ${start}` : `text[${start}:${end}]`],
      [sharing > 1 ? `UTF-8, shared by ${sharing}` : "UTF-8", mine.slice(0, 12).join(" ") + (mine.length > 12 ? " …" : "") || "none"]];
  }

  function ours(event) { // a key that we take, and nobody else; not with a modifier
    if (event.altKey || event.metaKey || event.ctrlKey) return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  // ---- the element ----

  class TokenSteps extends Figure {
    build({ heading, live, examples }) {
      this.kept = live ? KEPT : {};
      this.side = this.kept.side;
      this.examples = examples.map((example) => ({ ...example, works: example.works.map(unpack) }));
      const frame = this.dom(heading);
      this.setExample(0);
      return frame;
    }

    disconnectedCallback() {
      this.play(false);
      super.disconnectedCallback();
    }

    // -- what is on the page --

    dom(heading) {
      const button = (name, label, onclick) =>
        el("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick }, icon(name));
      const one = this.examples.length < 2;
      this.views = this.choice("View", ["Step by step", "Side by side"], (i) => this.setSide(i === 1));
      this.views.hidden = this.examples.every(({ works }) => works.length < 2);
      const select = el("select", { "aria-label": "Text", onchange: (e) => this.setExample(+e.target.value) },
        ...this.examples.map(({ name }, value) => el("option", { value }, name)));
      this.names = el("div");
      this.back = button("back", "Previous step", () => this.walk(this.step - 1));
      this.player = button("play", "Play", () => this.play(!this.playing));
      this.next = button("next", "Next step", () => this.walk(this.step + 1));
      this.slider = el("input", { type: "range", min: 0, "aria-label": "Step", oninput: (e) => this.walk(+e.target.value) });
      this.number = el("span", { class: "number" });
      this.controls = el("div", { class: "controls", role: "group", "aria-label": "Steps", onkeydown: (e) => this.key(e) },
        this.back, this.player, this.next, this.slider, this.number);
      this.sentence = el("div", { class: "stack say" });
      this.text = el("div", { class: "text", "aria-hidden": "true", ...this.pointing() });
      this.sizes = el("div", { class: "sizes" });
      this.list = el("div", { class: "stack" });
      this.reading = el("div", { class: "reading" });
      this.lattice = el("div", { class: "lattice" });
      this.stage = el("div", {}, this.names, this.controls, this.sentence, this.text, this.sizes, this.list, this.reading, this.lattice);
      this.beside = el("ul", { class: "beside", role: "list", "aria-label": "Tokens by tokenizer" });
      this.status = el("div", { class: "unseen", role: "status", "aria-live": "polite" });
      return el("div", { class: "figure", role: "group", "aria-label": heading ?? "How a text becomes tokens",
        onkeydown: (e) => e.key === "Escape" && this.pin(null) },
        el("div", { class: "title", hidden: !heading }, bdi(heading ?? "")),
        el("div", { class: "top", hidden: one && this.views.hidden }, el("label", { hidden: one }, "Text", select), this.views),
        this.stage, this.beside, this.status);
    }

    // One of a few, as a row of buttons: one tab stop, arrow keys inside.
    choice(label, names, choose, chosen = 0) {
      const all = names.map((name, i) => el("button", { type: "button", role: "radio", class: "pill", onclick: () => box.mark(i) }, bdi(name)));
      const light = (i) => all.forEach((one, j) => { one.setAttribute("aria-checked", i === j); one.tabIndex = i === j ? 0 : -1; });
      const box = el("div", { class: "pills", role: "radiogroup", "aria-label": label, onkeydown: (e) => this.rove(e, all, box.mark) }, ...all);
      box.light = light;
      box.mark = (i) => { light(i); choose(i); };
      light(chosen);
      return box;
    }

    // Pieces as buttons; where `ids` is false without their ids, which a side-by-side view has no room for.
    tokens(step, label, ids = true) {
      const all = step.pieces.map((piece, i) => el("button", {
        type: "button", class: `token t${step.tints[i]}${ids && step.changed.has(i) ? " new" : ""}`, "data-pieces": i, tabindex: i ? -1 : 0,
      }, bdi(piece.label), ...(ids && piece.id !== null ? [el("small", {}, String(piece.id))] : [])));
      const box = el("div", { class: "tokens", role: "toolbar", "aria-label": label, dir: this.flow,
        onkeydown: (e) => this.rove(e, all), ...this.pointing() }, ...all, ...(all.length ? [] : [el("span", { class: "soft" }, "no tokens")]));
      box.step = step;
      return box;
    }

    // What is pointed at passes; what is clicked or reached by key stays.
    pointing() {
      const at = (e) => {
        const node = e.target.closest("[data-pieces]");
        return node && { step: e.currentTarget.step, pieces: node.dataset.pieces.split(" ").filter(Boolean).map(Number) };
      };
      return {
        onpointerover: (e) => e.pointerType !== "touch" && this.point(at(e) ?? this.pinned),
        onpointerleave: () => this.point(this.pinned),
        onfocusin: (e) => e.target.matches(":focus-visible") && this.pin(at(e)),
        onclick: (e) => this.pin(at(e)),
      };
    }

    // -- what can change --

    setExample(i) {
      const was = this.work?.name ?? this.kept.name;
      this.example = this.examples[i];
      const { works, dir } = this.example, names = works.map(({ name }) => name), chosen = Math.max(0, names.indexOf(was));
      this.flow = this.text.dir = dir;
      this.names.replaceChildren(...(names.length > 1 ? [this.choice("Tokenizer", names, (j) => this.setWork(j), chosen)] : []));
      this.drawBeside();
      this.setWork(chosen);
      this.setSide(this.side && names.length > 1);
    }

    setSide(side) {
      this.side = this.kept.side = side;
      this.views.light(side ? 1 : 0);
      this.play(false);
      this.stage.hidden = side;
      this.beside.hidden = !side;
      this.pin(null);
    }

    setWork(j) {
      this.work = this.example.works[j];
      this.kept.name = this.work.name;
      const { steps } = this.work, room = (measure) => steps.reduce((most, step) => (measure(step) > measure(most) ? step : most));
      this.slider.max = steps.length - 1;
      this.controls.hidden = steps.length < 2;
      // What takes the most room stands behind, unseen, so that nothing moves from step to step.
      const ghost = (node) => Object.assign(node, { inert: true, ariaHidden: "true", className: `${node.className} ghost` });
      this.sentence.replaceChildren(ghost(el("div", {}, room(({ say }) => say.length).say)), el("div"));
      const widest = room(({ pieces }) => pieces.reduce((sum, { label }) => sum + 3 + label.length, 0));
      this.list.replaceChildren(ghost(this.tokens(widest)), el("div"));
      this.drawLattice();
      this.walk(0, false);
    }

    walk(step, aloud) {
      this.play(false);
      this.go(step, aloud);
    }

    go(step, aloud = true) {
      const { steps } = this.work, last = steps.length - 1, { chars, bytes } = this.example;
      this.step = clamp(step, 0, last);
      this.now = this.text.step = steps[this.step];
      const { say, pieces } = this.now, done = pieces.every(({ id }) => id !== null);
      this.slider.value = this.step;
      this.slider.setAttribute("aria-valuetext", `step ${this.step + 1} of ${last + 1}: ${say}`);
      this.number.textContent = `${this.step + 1} / ${last + 1}`;
      this.back.setAttribute("aria-disabled", this.step === 0);
      this.next.setAttribute("aria-disabled", this.step === last);
      this.sentence.lastChild.replaceChildren(bdi(say));
      this.sizes.replaceChildren(el("b", {}, count(pieces.length, done ? "token" : "piece")),
        ` · ${count(chars.length, "character")} · ${count(bytes.join(" ").split(" ").filter(Boolean).length, "byte")}`);
      this.list.lastChild.replaceWith(this.tokens(this.now, done ? "Tokens" : "Pieces"));
      this.drawText();
      this.lightLattice();
      this.pin(null);
      if (aloud) this.say(`${say}. ${this.sizes.firstChild.textContent}.`);
    }

    play(on) {
      clearTimeout(this.ticking);
      if (on && this.step === this.work.steps.length - 1) this.go(0);
      if (on) this.ticking = setTimeout(() => {
        this.go(this.step + 1);
        this.play(this.step < this.work.steps.length - 1);
      }, PAUSE);
      if (on === !!this.playing) return;
      this.playing = on;
      this.player.replaceChildren(icon(on ? "pause" : "play"));
      this.player.ariaLabel = this.player.title = on ? "Pause" : "Play";
    }

    say(sentence) { // only what was asked for, and only when it has come to rest
      clearTimeout(this.saying);
      this.saying = setTimeout(() => { this.status.textContent = sentence; }, 250);
    }

    key(event) {
      const to = { ArrowLeft: this.step - 1, ArrowRight: this.step + 1, Home: 0, End: Infinity }[event.key];
      if (to !== undefined && ours(event)) this.walk(to);
    }

    rove(event, items, then = () => {}) { // one tab stop, arrow keys inside
      const now = items.indexOf(event.target.closest("button")), ahead = event.currentTarget.dir === "rtl" ? -1 : 1;
      const to = { ArrowRight: now + ahead, ArrowLeft: now - ahead, ArrowDown: now + 1, ArrowUp: now - 1,
        Home: 0, End: items.length - 1 }[event.key];
      if (to === undefined || !ours(event)) return;
      const i = clamp(to, 0, items.length - 1);
      items.forEach((one, j) => { one.tabIndex = i === j ? 0 : -1; });
      items[i].focus();
      then(i);
    }

    // -- pointing at pieces --

    pin(at) {
      this.pinned = at?.pieces.length ? at : null;
      this.point(this.pinned);
      if (this.pinned) this.say(at.pieces.map((i) => about(at.step, i, this.example).flat().join(" ")).join("; "));
    }

    point(at) {
      const met = new Set(at?.pieces ?? []), { rows } = this, about_ = (i) => about(at.step, i, this.example);
      for (const box of [this.text, this.list.lastChild, ...rows.map((row) => row.box)])
        for (const node of box.querySelectorAll("[data-pieces]"))
          node.classList.toggle("met", box.step === at?.step && node.dataset.pieces.split(" ").some((i) => i && met.has(+i)));
      const line = (i) => el("div", { class: "about" }, ...about_(i).map(([name, value]) =>
        el("span", { class: name ? "part" : "label" }, el("small", {}, name), name && " ", bdi(value))));
      this.reading.replaceChildren(...(met.size ? [...met].slice(0, 4).map(line) : [el("span", { class: "soft" },
        "Point at a piece, or reach it by Tab and the arrow keys, to see its id, its place in the text and its bytes.")]));
      for (const { box, note, usual } of rows)
        note.replaceChildren(...(met.size && box.step === at.step ? [line([...met][0])] : usual));
    }

    // -- drawing --

    drawText() {
      const { chars } = this.example, { pieces, changed, tints } = this.now;
      this.text.replaceChildren(...runs(pieces, chars.length).map(([from, to, mine]) => {
        const kind = mine.length ? `run t${tints[mine[0]]}${mine.length > 1 ? " shared" : ""}${mine.some((i) => changed.has(i)) ? " new" : ""}` : "gap";
        const run = el("bdi", { class: kind, "data-pieces": mine.join(" ") });
        chars.slice(from, to).forEach((c, i, all) => {
          if (c === "␣" || c === "⏎") run.append(el("span", { class: "blank" }, c), el(c === "␣" ? "wbr" : "br"));
          else run.append(i ? c : standing(c));
        });
        run.normalize();
        return run;
      }));
    }

    drawBeside() {
      const { works, chars } = this.example, finals = works.map(({ steps }) => steps.at(-1));
      const most = Math.max(1, ...finals.map(({ pieces }) => pieces.length));
      this.rows = works.map(({ name }, j) => {
        const n = finals[j].pieces.length, bar = el("i", { class: "bar" });
        bar.style.width = `${(100 * n) / most}%`;
        const show = () => { this.views.mark(0); this.names.firstChild.mark(j); };
        const box = this.tokens(finals[j], `Tokens of ${name}`, false), note = el("div", { class: "sizes" });
        const usual = [el("b", {}, count(n, "token")), n ? ` · ${(chars.length / n).toFixed(1)} characters each` : ""];
        const head = el("div", { class: "head" },
          el("button", { type: "button", class: "name", title: "Show its steps", onclick: show }, bdi(name)), note);
        return { box, note, usual, item: el("li", {}, head, el("div", { class: "track", "aria-hidden": "true" }, bar), box) };
      });
      this.beside.replaceChildren(...this.rows.map(({ item }) => item));
    }

    // Blocks of letters with a bar below them for each candidate, in places that hold for all steps.
    drawLattice() {
      const { lattice, candidates } = this.work, { chars } = this.example;
      this.lattice.hidden = !lattice.length;
      this.bars = [];
      const place = (node, area) => Object.assign(node, { style: `grid-area: ${area}` });
      this.drawn = lattice.map((blocks) => el("div", { class: "drawing" }, ...blocks.map(([first, last, bars]) => {
        const letters = chars.slice(first, last).map((c, i) => place(el("span", { class: "letter", "aria-hidden": "true" }, bdi(standing(c))), `1 / ${i + 1}`));
        const list = el("div", { class: "candidates", role: "list" }, ...bars.map(([key, row]) => {
          const { label, start, end, score } = candidates[key];
          const tight = Array.from(label).length > 4 * (end - start); // such as <unk> below one letter
          const bar = el("div", { class: `candidate${tight ? " tight" : ""}`, role: "listitem" }, bdi(label), el("small", {}, minus(score)));
          this.bars.push([key, bar]);
          return place(bar, `${row + 2} / ${start - first + 1} / auto / span ${end - start}`);
        }));
        const block = el("div", { class: "block" }, ...letters, list);
        block.style.setProperty("--n", last - first);
        return block;
      })));
      this.lattice.replaceChildren(el("div", { class: "caption" }, el("b", {}, "Candidates"),
        " that fit here, each with its log-probability in nats; ", el("span", { class: "best" }, "filled"), ": on the best path"),
        el("div", { class: "stack", tabindex: 0, role: "group", "aria-label": "Candidates" }, ...this.drawn));
    }

    lightLattice() {
      const there = this.now.candidates ?? new Map();
      for (const [key, bar] of this.bars) {
        bar.classList.toggle("away", !there.has(key));
        bar.classList.toggle("best", !!there.get(key));
        bar.ariaLabel = `${bar.firstChild.textContent}, ${bar.lastChild.textContent}${there.get(key) ? ", on the best path" : ""}`;
      }
      for (const drawing of this.drawn) drawing.classList.toggle("away", !drawing.querySelector(".candidate:not(.away)"));
    }
  }

  customElements.define("lmkit-token-steps", TokenSteps);
})();
